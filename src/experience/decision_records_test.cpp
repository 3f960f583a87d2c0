#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "recorded_site.hpp"
#include "rltune/base/random.hpp"
#include "rltune/env/history.hpp"
#include "rltune/experience/records.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::experience {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr TimePoint kStart(1'000'000s);

// Decision `number` sees its own number everywhere: a transition that joins what does not belong together shows it.
class DecisionRecordsTest : public testing::Test {
 protected:
  historian::Decision decision(int number) const {
    historian::Decision made;
    made.id = std::format("{:08}", number);
    made.agent = "climate";
    made.origin = "policy";
    made.policy_sha256 = here_.artifact.sha256;
    made.learnable = true;
    made.time = kStart + number * 10s;
    made.wall_time = TimePoint(2'000'000s) + number * 1ms;
    made.observation.assign(here_.artifact.manifest.observation.size(), static_cast<float>(number));
    made.previous_inputs = {static_cast<double>(number % 150), 0.5};
    made.outputs = {{.tag = "vents", .applied = 0.55, .written = true},
                    {.tag = "heating", .applied = static_cast<double>((number + 1) % 150), .written = true}};
    made.seen = {{"air_temperature", 2.0 * number}, {"heating", made.outputs[1].applied}};
    return made;
  }
  void record(const std::vector<historian::Decision>& decisions) const {
    auto log = historian::DecisionLog::open(here_.data() / "decisions");
    ASSERT_TRUE(log) << log.error().message;
    for (const historian::Decision& one : decisions) ASSERT_TRUE(log->append(one));
    ASSERT_TRUE(log->flush());
  }
  Result<Gathered> gathered(const RecordsOptions& options = {}) const {
    return decisions_dataset(here_.site, here_.site.agents[0], here_.artifact, options);
  }
  // Every step goes from a decision to the one right after it.
  static void expect_nothing_joined(const dataset::Dataset& data) {
    const std::size_t width = data.observation.size();
    for (const dataset::Episode& episode : data.episodes) {
      EXPECT_FALSE(episode.terminated);
      for (std::size_t step = 0; step < episode.steps(); ++step)
        ASSERT_EQ(episode.observations[step * width] + 1.0F, episode.observations[(step + 1) * width]);
    }
  }

  RecordedSite here_;
};

TEST_F(DecisionRecordsTest, a_stretch_without_a_break_is_one_episode) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) decisions.push_back(decision(i));
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->rows, 20U);
  const dataset::Dataset& data = made->dataset;
  ASSERT_EQ(data.episodes.size(), 1U);
  ASSERT_EQ(data.transitions(), 19U);
  expect_nothing_joined(data);
  EXPECT_EQ(data.observation[0].name, "air_temperature");
  EXPECT_EQ(data.observation[0].unit, "degC");
  EXPECT_EQ(data.observation[0].high, 19.0);
  EXPECT_EQ(data.action[0].name, "heating");
  EXPECT_EQ(data.action[0].high, 150.0);
  EXPECT_EQ(data.action[1].high, 0.1);
  // Heating of 8 was applied and in force until decision 8, vents opened by half of what a step may be.
  EXPECT_NEAR(data.episodes[0].actions[7 * 2], 8.0 / 75.0 - 1.0, 1e-6);
  EXPECT_NEAR(data.episodes[0].actions[7 * 2 + 1], 0.5, 1e-6);
  EXPECT_NEAR(data.episodes[0].rewards[7], 2.0 - 0.08, 1e-6);
  EXPECT_EQ(data.metadata.at("from"), format_rfc3339(kStart));
  EXPECT_EQ(data.metadata.at("reward"), here_.site.agents[0].learning.reward);
}

// What befalls a decision, and how many transitions it costs a stretch of 20 that has 19.
struct Trouble {
  const char* name;
  std::function<void(historian::Decision&)> change;
  std::size_t lost, episodes;
};

class Troubles : public DecisionRecordsTest, public testing::WithParamInterface<Trouble> {};

TEST_P(Troubles, break_episodes_and_are_joined_by_nothing) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) {
    decisions.push_back(decision(i));
    if (i == 10) GetParam().change(decisions.back());
  }
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.transitions(), 19U - GetParam().lost);
  EXPECT_EQ(made->dataset.episodes.size(), GetParam().episodes);
  expect_nothing_joined(made->dataset);
}

INSTANTIATE_TEST_SUITE_P(
    Records, Troubles,
    testing::Values(
        // The guard, the DCS or an interlock decided what was applied: the state that it began in ends a transition.
        Trouble{"not_applied_as_meant", [](auto& one) { one.learnable = false; }, 1, 2},
        Trouble{"an_operators_write",
                [](auto& one) {
                  one.origin = "manual";
                  one.observation.clear();
                },
                2, 2},
        Trouble{"the_fallback",
                [](auto& one) {
                  one.origin = "fallback";
                  one.learnable = false;
                },
                2, 2},
        Trouble{"a_hold_for_a_rejected_sample",
                [](auto& one) {
                  one.learnable = false;
                  one.observation.clear();
                },
                2, 2},
        Trouble{"a_decision_that_is_missing", [](auto& one) { one.agent = "another"; }, 2, 2},
        Trouble{"weights_of_another_artifact", [](auto& one) { one.policy_sha256 = "another"; }, 2, 2},
        Trouble{"a_bad_value_in_the_reward", [](auto& one) { one.seen[0].value = std::nan(""); }, 2, 2},
        Trouble{"an_observation_of_another_width", [](auto& one) { one.observation.pop_back(); }, 2, 2}),
    [](const auto& which) { return which.param.name; });

// io was away for a while: the numbers go on, the time does not.
TEST_F(DecisionRecordsTest, nothing_is_joined_across_a_restart) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) {
    decisions.push_back(decision(i));
    if (i >= 10) decisions.back().time += 25s;
  }
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  const auto made = gathered();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->dataset.transitions(), 18U);
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
}

// A twin's season is played again, at the same times on its clock: decisions of both lie between each other there.
TEST_F(DecisionRecordsTest, two_seasons_of_the_same_clock_stay_apart) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) decisions.push_back(decision(i));
  for (int i = 0; i < 20; ++i) {
    decisions.push_back(decision(1000 + i));
    decisions.back().time = kStart + i * 10s + 3s;
  }
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  const auto made = gathered();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
  EXPECT_EQ(made->dataset.transitions(), 38U);
  expect_nothing_joined(made->dataset);
}

// An agent that was restarted has forgotten what its policy sees of the past.
TEST_F(DecisionRecordsTest, a_memory_that_begins_anew_breaks_an_episode) {
  const env::HistoryOptions history{.frames = 3, .traces = {0.5}};
  policy::Manifest& manifest = here_.artifact.manifest;
  const env::History memory(manifest.observation.size(), history);
  manifest.observation = env::with_history(manifest.observation, history);
  std::vector<historian::Decision> decisions;
  std::vector<float> row(memory.width());
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> now(memory.base_width(), static_cast<float>(i));
    if (i == 0 || i == 10)
      memory.begin(now, row);
    else
      memory.push(now, row);
    decisions.push_back(decision(i));
    decisions.back().observation = row;
  }
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.transitions(), 18U);
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
}

TEST_F(DecisionRecordsTest, any_trouble_at_any_time_joins_nothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    RecordedSite site;
    auto log = historian::DecisionLog::open(site.data() / "decisions");
    ASSERT_TRUE(log);
    Duration late{};
    for (int i = 0; i < 300; ++i) {
      historian::Decision one = decision(i);
      const double chance = random.uniform();
      if (chance < 0.03) continue;  // lost
      if (chance < 0.06) one.origin = "manual";
      if (chance > 0.06 && chance < 0.09) one.learnable = false;
      if (chance > 0.09 && chance < 0.12) one.observation.clear();
      if (chance > 0.12 && chance < 0.15) one.seen.front().value = std::nan("");
      if (chance > 0.15 && chance < 0.16) late += from_seconds(random.uniform(7.0, 100.0));
      one.time += late + from_seconds(random.uniform(-0.5, 0.5));
      ASSERT_TRUE(log->append(one));
    }
    ASSERT_TRUE(log->flush());
    const auto made = decisions_dataset(site.site, site.site.agents[0], here_.artifact, {});
    ASSERT_TRUE(made) << "seed " << seed << ": " << made.error().message;
    EXPECT_GT(made->dataset.episodes.size(), 20U) << "seed " << seed;
    EXPECT_GT(made->dataset.transitions(), 150U) << "seed " << seed;
    expect_nothing_joined(made->dataset);
  }
}

TEST_F(DecisionRecordsTest, a_range_of_time_and_other_weights_can_be_chosen) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) {
    decisions.push_back(decision(i));
    if (i >= 15) decisions.back().policy_sha256 = "learnt on site";
  }
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  EXPECT_EQ(gathered()->dataset.transitions(), 14U);
  EXPECT_EQ(gathered()->of_other_policies, 5U);
  EXPECT_EQ(gathered({.any_policy = true})->dataset.transitions(), 19U);
  const auto part = gathered({.from = kStart + 50s, .to = kStart + 100s});
  ASSERT_TRUE(part);
  EXPECT_EQ(part->rows, 5U);
  EXPECT_EQ(part->dataset.episodes[0].observations[0], 5.0F);
  EXPECT_EQ(gathered({.to = kStart}).error().code, Errc::not_found);
}

// Another reward than the site learnt by: what its log does not hold of it the historian does.
TEST_F(DecisionRecordsTest, what_the_log_lacks_is_taken_from_the_historian) {
  std::vector<historian::Decision> decisions;
  for (int i = 0; i < 20; ++i) decisions.push_back(decision(i));
  ASSERT_NO_FATAL_FAILURE(record(decisions));
  std::vector<std::string> names;
  for (const config::Tag& tag : here_.site.tags) names.push_back(tag.name);
  auto historian = historian::Historian::open({.folder = here_.data()}, names);
  ASSERT_TRUE(historian) << historian.error().message;
  for (int i = 0; i < 20; ++i) {
    Sample sample{.tag = 1,
                  .value = 100.0 * i,
                  .source_time = kStart + i * 10s - 1s,
                  .received_time = kStart + i * 10s,
                  .quality = i == 12 ? Quality::bad : Quality::good};
    historian->append({&sample, 1});
  }
  ASSERT_TRUE(historian->flush());
  config::Learning& learning = here_.site.agents[0].learning;
  learning.reward = "co2";
  learning.costs.clear();
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
  EXPECT_EQ(made->dataset.transitions(), 18U) << "the bad one ends none, and begins one";
  EXPECT_EQ(made->dataset.episodes[0].rewards[3], 400.0F);
  expect_nothing_joined(made->dataset);
}

TEST_F(DecisionRecordsTest, a_reward_that_names_no_tag_is_refused) {
  ASSERT_NO_FATAL_FAILURE(record({decision(0), decision(1)}));
  here_.site.agents[0].learning.reward = "-abs(lvl - 5)";
  EXPECT_THAT(gathered().error().message, HasSubstr("lvl"));
}

}  // namespace
}  // namespace rltune::experience
