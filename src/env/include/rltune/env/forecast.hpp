// What a controller is told of the hours ahead.
//
// perfect:     the rows that will come.
// persistence: truth near by, yesterday far off. At lead h hours the forecast of x is
//                truth + (1 - exp(-h / time_constant_h)) (x of the latest full day at that hour - truth),
//              so its error grows from 0 towards that of the 24 h persistence forecast, which is the usual yardstick of
//              forecast skill. No draws: the same weather, the same forecast. Before a series is a day old, the same
//              hour of its first day stands in.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rltune/env/exogenous.hpp"

namespace rltune::env {

struct ForecastModel {
  enum class Kind : std::uint8_t { perfect, persistence };
  Kind kind = Kind::perfect;
  double time_constant_h = 12.0;
};

class Forecaster {
 public:
  Forecaster(const ForecastModel& model, double sample_period_s, std::size_t leads);

  std::size_t leads() const noexcept { return leads_; }
  // Writes [lead 1..leads][variable], issued at `row` of the series.
  void forecast(const ExogenousSeries& series, std::size_t row, std::span<double> out) const noexcept;

 private:
  std::size_t leads_;
  std::size_t day_;              // sample periods in 24 h; 0: no full day fits, forecasts are perfect
  std::vector<double> weights_;  // of yesterday, by lead; empty when perfect
};

}  // namespace rltune::env
