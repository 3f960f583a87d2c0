#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "recorded_site.hpp"
#include "rltune/experience/records.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::experience {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kShift(1'000'000s);

// Ten seconds a period; the temperature rises by one in each, radiation too. Tags: see site_of_sample().
class HistoryRecordsTest : public testing::Test {
 protected:
  HistoryRecordsTest() {
    std::vector<std::string> names;
    for (const config::Tag& tag : here_.site.tags) names.push_back(tag.name);
    auto opened = historian::Historian::open({.folder = here_.data()}, names);
    EXPECT_TRUE(opened) << opened.error().message;
    historian_.emplace(std::move(*opened));
  }
  void put(std::uint32_t tag, Duration at, double value, Quality quality = Quality::good, std::uint32_t element = 0) {
    const Sample sample{.tag = tag,
                        .element = element,
                        .value = value,
                        .source_time = kShift + at,
                        .received_time = kShift + at,
                        .quality = quality};
    historian_->append({&sample, 1});
  }
  void measure(int period) {
    const Duration at = period * 10s;
    put(0, at, 20.0 + period);
    put(1, at, 600.0);
    put(2, at, 300.0 + period);
    put(3, at, 310.0, Quality::good, 0);
    put(3, at, 320.0, Quality::good, 1);
  }
  // An operator set these long before.
  void begin() {
    put(4, -1h, 50.0);
    put(5, -1h, 0.5);
  }
  Result<Gathered> gathered(const RecordsOptions& options = {}) {
    EXPECT_TRUE(historian_->flush());
    return history_dataset(here_.site, here_.site.agents[0], here_.artifact, options);
  }
  static void expect_nothing_joined(const dataset::Dataset& data) {
    for (const dataset::Episode& episode : data.episodes)
      for (std::size_t step = 0; step < episode.steps(); ++step)
        EXPECT_EQ(episode.observations[step * 5] + 1.0F, episode.observations[(step + 1) * 5]);
  }

  RecordedSite here_;
  std::optional<historian::Historian> historian_;
};

TEST_F(HistoryRecordsTest, an_operators_shift_becomes_an_episode) {
  begin();
  for (int i = 0; i < 20; ++i) measure(i);
  put(4, 50s, 110.0);  // with the decision of that moment: from then on
  put(4, 104s, 50.0);  // on the way from 100 to 110 s
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  const dataset::Dataset& data = made->dataset;
  ASSERT_EQ(data.episodes.size(), 1U);
  EXPECT_EQ(data.transitions(), 19U);
  expect_nothing_joined(data);
  const auto heating = [&](std::size_t step) { return 75.0F * (data.episodes[0].actions[step * 2] + 1.0F); };
  EXPECT_NEAR(heating(4), 50.0, 1e-4);
  EXPECT_NEAR(heating(5), 110.0, 1e-4);
  EXPECT_NEAR(heating(9), 110.0, 1e-4);
  EXPECT_NEAR(heating(10), 0.4 * 110.0 + 0.6 * 50.0, 1e-4);
  EXPECT_NEAR(heating(11), 50.0, 1e-4);
  EXPECT_EQ(data.episodes[0].actions[1], 0.0F) << "vents stood still";
  // The temperature rose by one; heat is charged as it was in force at the period's end.
  EXPECT_NEAR(data.episodes[0].rewards[4], 1.0 - 0.5, 1e-6);
  EXPECT_NEAR(data.episodes[0].rewards[5], 1.0 - 1.1, 1e-6);
  EXPECT_EQ(data.observation[2].name, "radiation");
  EXPECT_EQ(data.episodes[0].observations[7 * 5 + 2], 307.0F);
  EXPECT_EQ(data.metadata.at("source"), "historian");
}

TEST_F(HistoryRecordsTest, nothing_is_joined_across_a_time_without_records) {
  begin();
  for (int i = 0; i < 40; ++i)
    if (i != 10 && (i < 20 || i > 28)) measure(i);
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.episodes.size(), 3U);
  EXPECT_EQ(made->dataset.transitions(), 9U + 5U + 7U) << "set-points are believed three periods after a loss";
  expect_nothing_joined(made->dataset);
}

// Samples that were lost: some tags' of a period, and with them what was set in it.
TEST_F(HistoryRecordsTest, a_tag_that_was_always_recorded_is_missed) {
  begin();
  for (int i = 0; i < 20; ++i) {
    if (i == 10)
      put(1, i * 10s, 600.0);
    else
      measure(i);
    if (i >= 12) put(4, i * 10s, 50.0 + i);
    if (i >= 12) put(5, i * 10s, 0.5);
  }
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
  EXPECT_EQ(made->dataset.episodes[1].observations[0], 33.0F) << "the first period at whose start all is known anew";
  expect_nothing_joined(made->dataset);
}

// What is recorded when it changes may stand still.
TEST_F(HistoryRecordsTest, a_tag_that_rests_is_believed) {
  begin();
  for (int i = 0; i < 40; ++i) {
    put(0, i * 10s, 20.0 + i);
    put(2, i * 10s, 300.0 + i);
    if (i % 10 == 0) {
      put(1, i * 10s, 600.0);
      put(3, i * 10s, 310.0, Quality::good, 0);
      put(3, i * 10s, 320.0, Quality::good, 1);
    }
  }
  for (std::size_t tag = 0; tag < 4; ++tag) here_.site.tags[tag].stale_after_s = 200.0;
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.transitions(), 39U);
}

TEST_F(HistoryRecordsTest, a_rejected_sample_breaks_an_episode) {
  begin();
  for (int i = 0; i < 20; ++i) {
    measure(i);
    if (i == 10) put(0, i * 10s, 30.0, Quality::bad);
  }
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.episodes.size(), 2U);
  EXPECT_EQ(made->dataset.transitions(), 17U);
  expect_nothing_joined(made->dataset);
}

TEST_F(HistoryRecordsTest, a_set_point_that_nobody_knows_makes_no_action) {
  put(5, -1h, 0.5);
  for (int i = 0; i < 20; ++i) measure(i);
  put(4, 100s, 75.0);
  const auto made = gathered();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->dataset.episodes[0].observations[0], 31.0F) << "known at the start of the period after it came";
  EXPECT_EQ(gathered({.to = kShift + 90s}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::experience
