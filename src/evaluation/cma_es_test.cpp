#include "cma_es.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::evaluation {
namespace {

// A narrow valley, turned out of the axes: the curvatures differ by 1e4.
double valley(const std::vector<double>& x) {
  double value = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
    const double along = (x[i] - 0.7) + (x[i + 1] - 0.4), across = (x[i] - 0.7) - (x[i + 1] - 0.4);
    value -= along * along + 1e4 * across * across;
  }
  return value;
}

double search(double (*score)(const std::vector<double>&), std::vector<double> start, int generations,
              std::vector<double>& found) {
  CmaEs search(std::move(start), 0.3, 1);
  for (int generation = 0; generation < generations; ++generation) {
    std::vector<double> values;
    for (const auto& candidate : search.ask()) values.push_back(score(candidate));
    search.tell(values);
  }
  found = search.mean();
  return score(found);
}

TEST(CmaEs, follows_a_narrow_turned_valley) {
  std::vector<double> found;
  EXPECT_GT(search(valley, std::vector<double>(6, 0.5), 600, found), -1e-12);
}

TEST(CmaEs, finds_a_maximum_at_the_edge_and_stays_inside) {
  std::vector<double> found;
  search([](const std::vector<double>& x) { return x[0] - x[1] - std::abs(x[2] - 0.5); }, {0.5, 0.5, 0.1}, 200, found);
  EXPECT_NEAR(found[0], 1.0, 1e-3);
  EXPECT_NEAR(found[1], 0.0, 1e-3);
  EXPECT_NEAR(found[2], 0.5, 1e-3);
  CmaEs wide({0.0, 1.0}, 1.0, 3);
  for (int generation = 0; generation < 20; ++generation) {
    std::vector<double> values;
    for (const auto& candidate : wide.ask())
      for (double x : candidate) {
        EXPECT_GE(x, 0.0);
        EXPECT_LE(x, 1.0);
      }
    values.assign(wide.population(), 0.0);
    wide.tell(values);
  }
}

TEST(CmaEs, same_seed_same_search) {
  std::vector<double> first, second;
  search(valley, {0.1, 0.9, 0.5}, 20, first);
  search(valley, {0.1, 0.9, 0.5}, 20, second);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace rltune::evaluation
