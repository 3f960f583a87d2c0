#include "decision_taker.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "sample_artifact.hpp"
#include "site_of_sample.hpp"

namespace rltune::agent {
namespace {

using namespace std::chrono_literals;

class DecisionTakerTest : public testing::Test {
 protected:
  DecisionTakerTest() {
    artifact_.manifest.plant = "";
    artifact_.sha256 = "artifact";
    config::Learning& learning = site_.agents[0].learning;
    learning.enabled = true;
    learning.reward = "air_temperature - previous(air_temperature)";
    learning.costs = {{"heat", "0.01 * heating"}};
  }
  ~DecisionTakerTest() override { std::filesystem::remove_all(folder_); }

  Result<DecisionTaker> fresh() {
    return DecisionTaker(*OnlineLearner::create(site_.agents[0], artifact_, {.replay_max = 500}),
                         *experience::TransitionBuilder::create(site_, site_.agents[0], artifact_.manifest));
  }
  // A decision as io has it: the event that it publishes and the record that it keeps.
  struct Made {
    v1::DecisionEvent event;
    historian::Decision record;
  };
  Made decision(int number) {
    Random random(static_cast<std::uint64_t>(number) + 1);
    Made made;
    historian::Decision& record = made.record;
    v1::DecisionEvent& event = made.event;
    record.id = std::format("decision {}", number);
    record.agent = "climate";
    record.origin = number % 20 == 19 ? "fallback" : "policy";
    record.learnable = number % 7 != 6;
    record.time = TimePoint(1'000'000s) + number * 10s;
    record.wall_time = TimePoint(2'000'000s) + number * 1ms;
    for (std::size_t i = 0; i < artifact_.manifest.observation.size(); ++i)
      record.observation.push_back(static_cast<float>(random.uniform(0.0, 2.0)));
    record.previous_inputs = {random.uniform(0.0, 150.0), random.uniform(0.0, 1.0)};
    const double vents = std::clamp(record.previous_inputs[1] + random.uniform(-0.1, 0.1), 0.0, 1.0);
    record.outputs = {{.tag = "vents", .applied = vents, .written = true},
                      {.tag = "heating", .applied = random.uniform(0.0, 150.0), .written = true}};
    const double temperature = number % 11 == 10 ? std::nan("") : random.uniform(15.0, 25.0);
    record.seen = {{"air_temperature", temperature}, {"heating", record.outputs[1].applied}};

    event.set_agent(record.agent);
    event.set_origin(record.origin);
    event.set_learnable(record.learnable);
    event.set_time_unix_ns(record.time.time_since_epoch().count());
    event.set_wall_unix_ns(record.wall_time.time_since_epoch().count());
    event.mutable_observation()->Assign(record.observation.begin(), record.observation.end());
    event.mutable_previous_inputs()->Assign(record.previous_inputs.begin(), record.previous_inputs.end());
    for (const historian::DecisionOutput& output : record.outputs) {
      v1::OutputVerdict& out = *event.add_outputs();
      out.set_tag(output.tag);
      out.set_applied(output.applied);
      out.set_written(true);
    }
    for (const double value : {temperature, 600.0, 300.0, 310.0, 320.0, record.outputs[1].applied, 0.5})
      event.add_values(value);
    return made;
  }
  // The whole state, as a checkpoint holds it.
  std::string state_of(DecisionTaker& taker) {
    Archive archive = Archive::writer("test");
    taker.archive(archive);
    EXPECT_TRUE(archive.write(folder_ / "state"));
    return *read_file(folder_ / "state");
  }
  static std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-taker-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  config::Site site_ = experience::site_of_sample();
  policy::Artifact artifact_ = policy::sample_artifact();
  std::filesystem::path folder_ = new_folder();
  CheckpointStore checkpoints_{folder_};
};

TEST_F(DecisionTakerTest, records_teach_what_the_events_taught_to_the_same_bits) {
  auto live = fresh(), recalled = fresh();
  ASSERT_TRUE(live && recalled);
  for (int i = 0; i < 300; ++i) {
    const Made made = decision(i);
    const auto one = live->take(decision_of(made.event, site_)), other = recalled->take(made.record);
    ASSERT_EQ(one.has_value(), other.has_value()) << i;
    if (one) {
      EXPECT_EQ(one->reward, other->reward) << i;
      EXPECT_EQ(one->action, other->action) << i;
    }
  }
  EXPECT_GT(live->learner().transitions(), 150U);
  EXPECT_LT(live->learner().transitions(), 280U);  // those without a value, and those that were not ours
  EXPECT_EQ(state_of(*live), state_of(*recalled));
}

TEST_F(DecisionTakerTest, a_checkpoint_in_the_middle_loses_no_transition) {
  auto whole = fresh(), first = fresh();
  for (int i = 0; i < 200; ++i) whole->take(decision_of(decision(i).event, site_));
  for (int i = 0; i < 117; ++i) first->take(decision_of(decision(i).event, site_));
  ASSERT_TRUE(checkpoints_.save(*first, 3));
  bool restored = false;
  auto second = checkpoints_.restore([this] { return fresh(); }, restored);
  ASSERT_TRUE(second && restored);
  EXPECT_EQ(second->taken(), decision(116).record.wall_time);
  for (int i = 117; i < 200; ++i) second->take(decision(i).record);
  EXPECT_EQ(state_of(*second), state_of(*whole));
}

TEST_F(DecisionTakerTest, a_record_without_the_rewards_tags_teaches_nothing) {
  auto taker = fresh();
  for (int i = 0; i < 5; ++i) {
    historian::Decision old = decision(i).record;
    old.seen.clear();
    EXPECT_FALSE(taker->take(old));
  }
}

TEST_F(DecisionTakerTest, decisions_made_before_another_artifact_came_do_not_count) {
  const TimePoint now(5'000s), later(6'000s);
  EXPECT_EQ(checkpoints_.artifact_since("one", now).value(), TimePoint{});
  EXPECT_EQ(checkpoints_.artifact_since("one", later).value(), TimePoint{});
  EXPECT_EQ(checkpoints_.artifact_since("two", now).value(), now);
  EXPECT_EQ(checkpoints_.artifact_since("two", later).value(), now);
}

}  // namespace
}  // namespace rltune::agent
