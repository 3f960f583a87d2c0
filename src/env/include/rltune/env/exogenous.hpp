// What happens to a plant and is not set: weather, set-points. A table of rows at a fixed period, of which a
// plant takes every `stride`-th. Weather becomes one (weather.hpp); a task with a schedule brings its own.
//
// Threads: immutable once made; shared between any number of simulations.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/time.hpp"

namespace rltune::env {

struct ExogenousSeries {
  std::string name;           // where it comes from: "bleiswijk-2014.csv.gz", "synthetic seed 1 year 3"
  std::size_t variables = 0;  // columns, in the plant's order
  std::size_t stride = 1;     // rows between two sample periods of the plant
  double row_period_s = 0.0;
  std::optional<TimePoint> start;  // UTC of row 0, where the rows have times
  std::vector<double> values;      // [row][variable]

  std::size_t rows() const noexcept { return variables == 0 ? 0 : values.size() / variables; }
  // The row, or the last one past the end: a season's closing observation may look beyond it.
  std::span<const double> row(std::size_t index) const noexcept {
    const std::size_t last = rows() - 1;
    return std::span(values).subspan((index < last ? index : last) * variables, variables);
  }
};

}  // namespace rltune::env
