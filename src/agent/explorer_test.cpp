#include "explorer.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::agent {
namespace {

config::Agent exploring_agent() {
  config::Agent agent;
  agent.outputs = {"heating", "vents"};
  agent.learning.explore = true;
  agent.learning.explore_within = {{"heating", {20.0, 120.0}}, {"vents", {0.1, 0.4}}};
  return agent;
}

TEST(Explorer, stays_inside_the_sites_range_and_says_what_it_added) {
  Explorer explorer(exploring_agent(), 1);
  Random random(2);
  double square = 0.0;
  for (int i = 0; i < 10'000; ++i) {
    const double heating = i % 2 == 0 ? random.uniform(20.0, 120.0) : 120.0, vents = random.uniform(0.1, 0.4);
    double values[] = {heating, vents};
    const auto added = explorer.explore(values);
    EXPECT_EQ(values[0], heating + added[0]);
    EXPECT_EQ(values[1], vents + added[1]);
    EXPECT_GE(values[0], 20.0);
    EXPECT_LE(values[0], 120.0);
    EXPECT_GE(values[1], 0.1);
    EXPECT_LE(values[1], 0.4);
    if (i % 2 == 0) square += added[0] * added[0] / 5000.0;
  }
  // 5 % of a range of 100, less what its ends cut off.
  EXPECT_NEAR(std::sqrt(square), 5.0, 0.3);
}

TEST(Explorer, leaves_alone_what_the_policy_wants_outside_the_range) {
  Explorer explorer(exploring_agent(), 1);
  for (const double wanted : {0.0, 19.9, 120.1, 150.0}) {
    double values[] = {wanted, 0.2};
    const auto added = explorer.explore(values);
    EXPECT_EQ(values[0], wanted);
    EXPECT_EQ(added[0], 0.0);
    EXPECT_NE(added[1], 0.0);
  }
}

TEST(Explorer, the_same_seed_tries_the_same) {
  Explorer one(exploring_agent(), 7), same(exploring_agent(), 7), other(exploring_agent(), 8);
  double a[] = {50.0, 0.2}, b[] = {50.0, 0.2}, c[] = {50.0, 0.2};
  one.explore(a);
  same.explore(b);
  other.explore(c);
  EXPECT_EQ(a[0], b[0]);
  EXPECT_NE(a[0], c[0]);
}

}  // namespace
}  // namespace rltune::agent
