#include "rltune/reading/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "scratch_folder.hpp"
#include "serving.hpp"

namespace rltune::reading {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = parse_rfc3339("2026-01-02T00:00:00Z").value();

config::Site small_site() {
  config::Site site;
  site.tags = {{.name = "temperature", .unit = "degC", .operating = config::Range{-20.0, 60.0}},
               {.name = "vent", .unit = "%", .role = config::TagRole::setpoint, .operating = config::Range{0.0, 100.0}},
               {.name = "forecast", .role = config::TagRole::forecast, .elements = 3}};
  site.guard.outputs = {{.tag = "vent", .limits = {5.0, 80.0}}};
  return site;
}

class HistoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    history_.emplace(scratch_.path());
    history_->tell(small_site());
  }
  void record(const std::vector<Sample>& samples) {
    if (!historian_) {
      auto opened = historian::Historian::open({.folder = scratch_.path()},
                                               std::vector<std::string>{"temperature", "vent", "forecast", "former"});
      ASSERT_TRUE(opened) << opened.error().message;
      historian_.emplace(std::move(*opened));
    }
    historian_->append(samples);
    ASSERT_TRUE(historian_->flush());
  }
  static Sample sample(std::uint32_t tag, Duration after, double value, std::uint32_t element = 0) {
    return {.tag = tag,
            .element = element,
            .value = value,
            .source_time = kStart + after,
            .received_time = kStart + after,
            .quality = Quality::good};
  }
  static v1::SamplesRequest all_of(const std::string& tag, std::uint32_t limit) {
    v1::SamplesRequest request;
    request.set_tag(tag);
    request.set_from_unix_ns(kStart.time_since_epoch().count());
    request.set_to_unix_ns((kStart + 24h).time_since_epoch().count());
    request.set_limit(limit);
    return request;
  }
  // Of one page after the other: how many samples each has; their values in `values_`.
  std::vector<int> pages(v1::SamplesRequest request) {
    std::vector<int> sizes;
    while (true) {
      v1::SamplesAnswer page;
      const auto done = history_->samples(request, page);
      EXPECT_TRUE(done) << done.error().message;
      sizes.push_back(page.samples_size());
      for (const v1::Sample& one : page.samples()) values_.push_back(one.value());
      if (!done || !page.has_next_unix_ns() || sizes.size() > 100) return sizes;
      request.set_from_unix_ns(page.next_unix_ns());
    }
  }
  Errc error_of(const v1::SamplesRequest& request) {
    v1::SamplesAnswer page;
    const auto done = history_->samples(request, page);
    EXPECT_FALSE(done);
    return done ? Errc::internal : done.error().code;
  }

  historian::ScratchFolder scratch_;
  std::optional<historian::Historian> historian_;
  std::optional<History> history_;
  std::vector<double> values_;
};

TEST_F(HistoryTest, pages_hold_every_sample_once_and_the_last_one_says_so) {
  std::vector<Sample> samples;
  for (int i = 0; i < 10; ++i) samples.push_back(sample(0, i * 1s, i));
  record(samples);
  EXPECT_THAT(pages(all_of("temperature", 4)), ::testing::ElementsAre(4, 4, 2));
  EXPECT_THAT(values_, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(pages(all_of("temperature", 5)), ::testing::ElementsAre(5, 5)) << "no empty page at the end";
  EXPECT_THAT(pages(all_of("temperature", 100)), ::testing::ElementsAre(10));
}

TEST_F(HistoryTest, an_instant_of_an_array_is_in_one_page) {
  std::vector<Sample> samples;
  for (int i = 0; i < 4; ++i)
    for (std::uint32_t element = 0; element < 3; ++element) samples.push_back(sample(2, i * 1s, i, element));
  record(samples);
  EXPECT_THAT(pages(all_of("forecast", 7)), ::testing::ElementsAre(6, 6));
  EXPECT_THAT(pages(all_of("forecast", 1)), ::testing::ElementsAre(3, 3, 3, 3));
}

TEST_F(HistoryTest, a_page_is_bounded_whatever_is_asked) {
  std::vector<Sample> samples;
  for (int i = 0; i < 10'050; ++i) samples.push_back(sample(0, i * 1ms, i));
  record(samples);
  EXPECT_THAT(pages(all_of("temperature", 4'000'000'000U)), ::testing::ElementsAre(kPageMax, 50));
  EXPECT_EQ(pages(all_of("temperature", 0)).front(), 1);
}

TEST_F(HistoryTest, what_comes_while_it_is_read_is_seen_by_the_next_question) {
  EXPECT_THAT(pages(all_of("temperature", 10)), ::testing::ElementsAre(0)) << "the site has the tag";
  record({sample(0, 0s, 1.0)});
  EXPECT_THAT(pages(all_of("temperature", 10)), ::testing::ElementsAre(1));
  record({sample(0, 1s, 2.0), sample(1, 1s, 50.0)});
  EXPECT_THAT(pages(all_of("temperature", 10)), ::testing::ElementsAre(2));
  EXPECT_THAT(pages(all_of("vent", 10)), ::testing::ElementsAre(1));
}

TEST_F(HistoryTest, a_tag_that_the_site_had_once_is_read_and_one_that_it_never_had_is_not_found) {
  record({sample(3, 0s, 1.0)});
  EXPECT_THAT(pages(all_of("former", 10)), ::testing::ElementsAre(1));
  EXPECT_EQ(error_of(all_of("nothing", 10)), Errc::not_found);
  v1::SamplesRequest backwards = all_of("temperature", 10);
  backwards.set_to_unix_ns(backwards.from_unix_ns() - 1);
  EXPECT_EQ(error_of(backwards), Errc::invalid_argument);
}

TEST_F(HistoryTest, rollups_come_in_pages_as_well) {
  std::vector<Sample> samples;
  for (int i = 0; i < 6 * 60; ++i) samples.push_back(sample(0, i * 10s, i));
  record(samples);
  ASSERT_TRUE(historian_->maintain(kStart + 2h));
  v1::RollupsRequest request;
  request.set_tag("temperature");
  request.set_resolution("minute");
  request.set_from_unix_ns(kStart.time_since_epoch().count());
  request.set_to_unix_ns((kStart + 24h).time_since_epoch().count());
  request.set_limit(40);
  v1::RollupsAnswer first, second;
  ASSERT_TRUE(history_->rollups(request, first));
  ASSERT_EQ(first.rollups_size(), 40);
  EXPECT_EQ(first.rollups(1).mean(), 8.5);
  EXPECT_EQ(first.rollups(1).count(), 6U);
  ASSERT_TRUE(first.has_next_unix_ns());
  request.set_from_unix_ns(first.next_unix_ns());
  ASSERT_TRUE(history_->rollups(request, second));
  EXPECT_EQ(second.rollups_size(), 20);
  EXPECT_FALSE(second.has_next_unix_ns());
  request.set_resolution("raw");
  EXPECT_EQ(history_->rollups(request, second).error().code, Errc::invalid_argument);
}

TEST_F(HistoryTest, tags_are_those_of_the_site_with_the_limits_in_force) {
  config::Site site = small_site();
  site.guard.outputs[0].limits.high = 70.0;
  history_->tell(site);
  const std::string endpoint = bus::call_endpoint(scratch_.path().string(), "io.records");
  const bus::Serving serving(endpoint, [&](bus::Server& server) { history_->add_to(server); });
  auto client = bus::Client::connect(endpoint);
  ASSERT_TRUE(client);
  const auto answered = client->call<v1::TagsAnswer>("records.Tags", "io.records", v1::TagsRequest(), 10s);
  ASSERT_TRUE(answered) << answered.error().message;
  const v1::TagsAnswer& tags = *answered;
  ASSERT_EQ(tags.tags_size(), 3);
  EXPECT_EQ(tags.tags(0).role(), "measurement");
  EXPECT_EQ(tags.tags(0).low(), -20.0);
  EXPECT_FALSE(tags.tags(0).writable());
  EXPECT_TRUE(tags.tags(1).writable());
  EXPECT_EQ(tags.tags(1).low(), 5.0);
  EXPECT_EQ(tags.tags(1).high(), 70.0);
  EXPECT_EQ(tags.tags(2).elements(), 3U);
  EXPECT_FALSE(tags.tags(2).has_low());
}

}  // namespace
}  // namespace rltune::reading
