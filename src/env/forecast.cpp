#include "rltune/env/forecast.hpp"

#include <cmath>

#include "rltune/base/check.hpp"

namespace rltune::env {

Forecaster::Forecaster(const ForecastModel& model, double sample_period_s, std::size_t leads) : leads_(leads) {
  const double periods = 86400.0 / sample_period_s;
  day_ = std::fabs(periods - std::round(periods)) < 1e-9 ? static_cast<std::size_t>(std::lround(periods)) : 0;
  if (model.kind == ForecastModel::Kind::perfect || day_ == 0) return;
  for (std::size_t lead = 1; lead <= leads; ++lead)
    weights_.push_back(1.0 - std::exp(-static_cast<double>(lead) * sample_period_s / 3600.0 / model.time_constant_h));
}

void Forecaster::forecast(const ExogenousSeries& series, std::size_t row, std::span<double> out) const noexcept {
  const std::size_t variables = series.variables;
  RLTUNE_CHECK(out.size() == leads_ * variables);
  for (std::size_t lead = 1; lead <= leads_; ++lead) {
    const std::size_t target = row + lead * series.stride;
    const std::span<const double> truth = series.row(target);
    double* value = out.data() + (lead - 1) * variables;
    for (std::size_t v = 0; v < variables; ++v) value[v] = truth[v];
    if (weights_.empty()) continue;
    const std::size_t back =
        (lead + day_ - 1) / day_ * day_ * series.stride;  // whole days, to a row not after the issue
    const std::size_t day_rows = day_ * series.stride;
    const std::span<const double> before = series.row(target >= back ? target - back : target % day_rows);
    for (std::size_t v = 0; v < variables; ++v) value[v] += weights_[lead - 1] * (before[v] - truth[v]);
  }
}

}  // namespace rltune::env
