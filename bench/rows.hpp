// What one benchmark of a whole site found: figures with their spread and, where one is promised, their bound.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/statistics.hpp"

namespace rltune::bench {

struct Row {
  std::string what;
  std::string unit;
  double value = 0.0;
  double low = 0.0, high = 0.0;  // over the repetitions, or the parts of a long run
  std::optional<double> bound;   // at most
  bool least = false;            // the bound is: at least
};
using Rows = std::vector<Row>;

inline Row single(std::string what, std::string unit, double value, std::optional<double> bound = {}) {
  return {std::move(what), std::move(unit), value, value, value, bound};
}

inline Row repeated(std::string what, std::string unit, const std::vector<double>& values,
                    std::optional<double> bound = {}) {
  const auto [low, high] = std::ranges::minmax(values);
  return {std::move(what), std::move(unit), quantile(values, 0.5), low, high, bound};
}

// Where the bound holds for every repetition: the largest counts.
inline Row slowest(std::string what, std::string unit, const std::vector<double>& values,
                   std::optional<double> bound = {}) {
  const auto [low, high] = std::ranges::minmax(values);
  return {std::move(what), std::move(unit), high, low, high, bound};
}

// p50, p99 and maximum of a run; the spread of a quantile is over the run's quarters. The bound is the p99's.
inline void add_quantiles(Rows& rows, const std::string& what, const std::string& unit,
                          const std::vector<double>& values, std::optional<double> bound = {}) {
  const auto add = [&](const std::string& name, double q, std::optional<double> limit) {
    std::vector<double> quarters;
    for (std::size_t part = 0; part < 4; ++part) {
      const std::vector<double> some(values.begin() + static_cast<std::ptrdiff_t>(part * values.size() / 4),
                                     values.begin() + static_cast<std::ptrdiff_t>((part + 1) * values.size() / 4));
      if (!some.empty()) quarters.push_back(quantile(some, q));
    }
    const auto [low, high] = std::ranges::minmax(quarters);
    rows.push_back({what + ", " + name, unit, quantile(values, q), low, high, limit});
  };
  add("p50", 0.5, {});
  add("p99", 0.99, bound);
  rows.push_back(single(what + ", largest", unit, std::ranges::max(values)));
}

inline nlohmann::ordered_json to_json(const Rows& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    list.push_back(
        {{"what", row.what}, {"unit", row.unit}, {"value", row.value}, {"low", row.low}, {"high", row.high}});
    if (row.bound) list.back()["bound"] = *row.bound;
    if (row.least) list.back()["least"] = true;
  }
  return {{"rows", list}};
}

}  // namespace rltune::bench
