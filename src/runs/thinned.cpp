#include "rltune/runs/thinned.hpp"

#include <cmath>
#include <numeric>
#include <span>

#include "rltune/base/check.hpp"

namespace rltune::runs {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of the points from `begin` to `end` the one that makes the largest triangle with point `before` and with (x, y).
std::size_t largest(const Curve& curve, std::size_t begin, std::size_t end, std::size_t before, double x, double y) {
  const double x0 = curve.steps[before], y0 = curve.values[before];
  std::size_t best = begin;
  double best_area = -1.0;
  for (std::size_t i = begin; i < end; ++i) {
    const double area = std::abs((x0 - x) * (curve.values[i] - y0) - (x0 - curve.steps[i]) * (y - y0));
    if (area > best_area) best_area = area, best = i;
  }
  return best;
}

}  // namespace

Curve thinned(const Curve& curve, std::size_t points) {
  RLTUNE_CHECK(points >= 2);
  const std::size_t count = curve.steps.size();
  if (count <= points) return curve;
  // Points 1 to count - 2 in points - 2 stretches of as good as the same length.
  const auto edge = [&](std::size_t stretch) { return 1 + stretch * (count - 2) / (points - 2); };
  Curve out{.steps = {curve.steps.front()}, .values = {curve.values.front()}};
  std::size_t before = 0;
  for (std::size_t stretch = 0; stretch + 2 < points; ++stretch) {
    const std::size_t begin = edge(stretch), end = edge(stretch + 1);
    const std::size_t behind = stretch + 3 == points ? 1 : edge(stretch + 2) - end;
    const std::size_t chosen = largest(curve, begin, end, before, mean(std::span(curve.steps).subspan(end, behind)),
                                       mean(std::span(curve.values).subspan(end, behind)));
    out.steps.push_back(curve.steps[chosen]);
    out.values.push_back(curve.values[chosen]);
    before = chosen;
  }
  out.steps.push_back(curve.steps.back());
  out.values.push_back(curve.values.back());
  return out;
}

}  // namespace rltune::runs
