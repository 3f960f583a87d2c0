#include "rltune/env/snapshot.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace rltune::env {
namespace {

TEST(observe, takes_each_feature_from_its_source) {
  const std::vector<double> measurements{1, 2}, inputs{3}, exogenous{4, 5}, forecast{6, 7, 8, 9};
  const Snapshot snapshot{measurements, inputs, exogenous, forecast, 0.25};
  const ObservationLayout layout{{Feature::Source::measurement, 1, 0, {}}, {Feature::Source::input, 0, 0, {}},
                                 {Feature::Source::exogenous, 0, 0, {}},   {Feature::Source::forecast, 1, 1, {}},
                                 {Feature::Source::forecast, 0, 2, {}},    {Feature::Source::progress, 0, 0, {}}};
  std::vector<float> out(layout.size());
  observe(layout, snapshot, out);
  EXPECT_EQ(out, (std::vector<float>{2, 3, 4, 7, 8, 0.25F}));
}

TEST(actuate, maps_absolute_actions_onto_the_range_and_clips_them) {
  const ActionLayout layout(3, Actuation{Actuation::Kind::absolute, 10, 20, 0});
  std::vector<double> inputs(3);
  actuate(layout, std::vector<float>{-1, 0, 7}, inputs, inputs);
  EXPECT_EQ(inputs, (std::vector<double>{10, 15, 20}));
}

TEST(actuate, adds_increments_and_stays_inside_the_bounds) {
  const ActionLayout layout(3, Actuation{Actuation::Kind::increment, 0, 10, 4});
  std::vector<double> inputs(3);
  actuate(layout, std::vector<float>{0.5F, -1, 1}, std::vector<double>{5, 3, 9}, inputs);
  EXPECT_EQ(inputs, (std::vector<double>{7, 0, 10}));
}

TEST(actuate, a_nan_action_leaves_an_incremental_input_where_it_is) {
  const ActionLayout layout(1, Actuation{Actuation::Kind::increment, 0, 10, 4});
  std::vector<double> inputs(1);
  actuate(layout, std::vector<float>{std::numeric_limits<float>::quiet_NaN()}, std::vector<double>{5}, inputs);
  EXPECT_EQ(inputs[0], 5);
}

TEST(action_for, is_the_inverse_and_leaves_the_range_where_no_action_would_do) {
  const Actuation absolute{Actuation::Kind::absolute, 10, 20, 0}, increment{Actuation::Kind::increment, 0, 10, 4};
  EXPECT_EQ(action_for(absolute, 17.5, 0), 0.5);
  EXPECT_EQ(action_for(absolute, 25, 0), 2);
  EXPECT_EQ(action_for(increment, 3, 5), -0.5);
  EXPECT_EQ(action_for(increment, 10, 2), 2);
}

}  // namespace
}  // namespace rltune::env
