#include "rltune/reading/decisions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <format>

#include "rltune/historian/decision_log.hpp"
#include "scratch_folder.hpp"

namespace rltune::reading {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const TimePoint kFirst = parse_rfc3339("2026-01-02T00:00:00Z").value();

class DecisionsTest : public ::testing::Test {
 protected:
  void record(int count) {
    auto log = historian::DecisionLog::open(scratch_.path());
    ASSERT_TRUE(log) << log.error().message;
    for (int i = 0; i < count; ++i) {
      historian::Decision decision;
      decision.id = std::format("id-{:05}", i);
      decision.agent = i % 3 == 0 ? "water" : "climate";
      decision.time = decision.wall_time = kFirst + i * 1s;
      decision.mode = 3;
      decision.observation = {1.5F, std::nanf("")};
      decision.outputs = {{.tag = "vent", .applied = 5.0, .action = 1, .reasons = 6}};
      decision.seen = {{"price", 0.25}};
      decision.verdict = 1500ns;
      while (!log->append(decision)) ASSERT_TRUE(log->flush());
    }
    ASSERT_TRUE(log->flush());
  }
  static v1::DecisionsRequest all_of(const std::string& agent, std::uint32_t limit) {
    v1::DecisionsRequest request;
    request.set_from_unix_ns(kFirst.time_since_epoch().count());
    request.set_to_unix_ns((kFirst + 30h).time_since_epoch().count());
    request.set_agent(agent);
    request.set_limit(limit);
    return request;
  }
  // Of one page after the other: how many decisions each has; their ids in `ids_`.
  std::vector<int> pages(v1::DecisionsRequest request) {
    std::vector<int> sizes;
    while (sizes.size() < 100) {
      v1::DecisionsAnswer page;
      const auto done = decisions_.list(request, page);
      EXPECT_TRUE(done) << done.error().message;
      sizes.push_back(page.decisions_size());
      for (const v1::DecisionRecord& decision : page.decisions()) ids_.push_back(decision.id());
      if (page.next_after().empty()) break;
      request.set_after(page.next_after());
    }
    return sizes;
  }

  historian::ScratchFolder scratch_;
  Decisions decisions_{scratch_.path()};
  std::vector<std::string> ids_;
};

TEST_F(DecisionsTest, pages_hold_every_decision_once_and_the_last_one_says_so) {
  record(10);
  EXPECT_THAT(pages(all_of("", 4)), ElementsAre(4, 4, 2));
  EXPECT_EQ(ids_.size(), 10U);
  EXPECT_TRUE(std::ranges::is_sorted(ids_));
  EXPECT_THAT(pages(all_of("", 5)), ElementsAre(5, 5)) << "no empty page at the end";
  EXPECT_THAT(pages(all_of("water", 3)), ElementsAre(3, 1));
}

TEST_F(DecisionsTest, a_question_for_an_agent_that_decided_nothing_is_bounded_and_goes_on) {
  record(20'500);
  EXPECT_THAT(pages(all_of("nobody", 10)), ElementsAre(0, 0));
}

TEST_F(DecisionsTest, one_is_told_whole_and_in_a_list_without_what_it_saw) {
  record(2);
  v1::DecisionRequest request;
  request.set_id("id-00001");
  v1::DecisionRecord whole;
  ASSERT_TRUE(decisions_.find(request, whole));
  EXPECT_EQ(whole.mode(), "automatic");
  EXPECT_EQ(whole.outputs(0).action(), "clamped");
  EXPECT_THAT(whole.outputs(0).reasons(), ElementsAre("limit_high", "rate"));
  EXPECT_FALSE(whole.outputs(0).has_proposed());
  ASSERT_EQ(whole.observation_size(), 2);
  EXPECT_EQ(whole.observation(0), 1.5F);
  EXPECT_TRUE(std::isnan(whole.observation(1)));
  EXPECT_EQ(whole.seen().at("price"), 0.25);
  EXPECT_EQ(whole.timings_us().at("verdict"), 1.5);
  v1::DecisionsAnswer page;
  ASSERT_TRUE(decisions_.list(all_of("", 1), page));
  EXPECT_EQ(page.decisions(0).observation_size(), 0);
}

TEST_F(DecisionsTest, what_is_not_on_record_is_not_found) {
  record(1);
  v1::DecisionRequest request;
  request.set_id("none");
  v1::DecisionRecord whole;
  EXPECT_EQ(decisions_.find(request, whole).error().code, Errc::not_found);
  v1::DecisionsRequest after = all_of("", 1);
  after.set_after("none");
  v1::DecisionsAnswer page;
  const auto listed = decisions_.list(after, page);
  EXPECT_EQ(listed.error().code, Errc::invalid_argument);
  EXPECT_FALSE(listed.error().message.contains(scratch_.path().string())) << "no file of the host's is named";
}

}  // namespace
}  // namespace rltune::reading
