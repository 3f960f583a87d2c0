#include "rltune/access/sessions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <format>
#include <optional>
#include <thread>

#include "manual_clock.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;

const Client kClient{.description = "Firefox on Linux", .address = "10.0.0.1"};

class SessionsTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(SessionOptions options) {
    sessions_.reset();
    options.file = folder_.path() / "sessions.db";
    sessions_.emplace(Sessions::open(options, now()).value());
  }
  SessionBegun begin(const std::string& user = "ada") { return sessions_->begin(user, kClient, now()).value(); }
  Refreshed refresh(const std::string& token) { return sessions_->refresh(token, "10.0.0.2", now()).value(); }
  RefreshOutcome outcome(const std::string& token) { return refresh(token).outcome; }
  bool active(const SessionBegun& session) const { return sessions_->active(session.id, now()); }
  std::vector<Session> list(const std::string& user = "ada") const { return sessions_->list(user, now()); }
  TimePoint now() const { return clock_.now(); }

  TemporaryFolder folder_;
  ManualClock clock_{parse_rfc3339("2026-01-02T00:00:00Z").value()};
  std::optional<Sessions> sessions_;
};

TEST_F(SessionsTest, one_that_has_begun_is_active_and_listed) {
  const auto begun = begin();
  EXPECT_TRUE(active(begun));
  EXPECT_EQ(begun.refresh_token.size(), 43U);
  ASSERT_EQ(list().size(), 1U);
  EXPECT_EQ(list()[0], (Session{.id = begun.id, .user = "ada", .client = kClient, .begun = now(), .used = now()}));
  EXPECT_TRUE(list("grace").empty());
  EXPECT_FALSE(sessions_->active("another", now()));
  EXPECT_FALSE(sessions_->active("", now()));
}

TEST_F(SessionsTest, each_refresh_gives_another_token_and_notes_when_and_where) {
  const auto begun = begin();
  std::string token = begun.refresh_token;
  for (int i = 0; i < 5; ++i) {
    clock_.advance(1h);
    const auto refreshed = refresh(token);
    ASSERT_EQ(refreshed.outcome, RefreshOutcome::renewed);
    EXPECT_NE(refreshed.refresh_token, token);
    EXPECT_EQ(refreshed.session, list().at(0));
    token = refreshed.refresh_token;
  }
  EXPECT_EQ(list()[0].client.address, "10.0.0.2");
  EXPECT_EQ(list()[0].used, now());
  EXPECT_EQ(list()[0].begun, now() - 5h);
}

TEST_F(SessionsTest, a_token_shown_again_ends_the_whole_session_and_no_other) {
  for (const int used_before : {1, 3}) {
    const auto begun = begin(), other = begin();
    std::string last = begun.refresh_token;
    for (int i = 0; i < used_before; ++i) last = refresh(last).refresh_token;
    const auto reused = refresh(begun.refresh_token);
    EXPECT_EQ(reused.outcome, RefreshOutcome::reused);
    EXPECT_EQ(reused.session.id, begun.id);
    EXPECT_EQ(reused.session.user, "ada");
    EXPECT_EQ(reused.refresh_token, "");
    EXPECT_FALSE(active(begun));
    EXPECT_EQ(outcome(last), RefreshOutcome::unknown);
    EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::unknown) << "it is told once";
    EXPECT_TRUE(active(other));
    EXPECT_EQ(outcome(other.refresh_token), RefreshOutcome::renewed);
  }
}

TEST_F(SessionsTest, no_other_text_is_a_token) {
  const auto begun = begin();
  std::string changed = begun.refresh_token;
  changed[7] = changed[7] == 'A' ? 'B' : 'A';
  for (const std::string& text : {changed, begun.id, begun.refresh_token + "A", std::string(), std::string(43, '='),
                                  std::string(43, 'A'), std::string(1'000'000, 'A')})
    EXPECT_EQ(outcome(text), RefreshOutcome::unknown);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::renewed);
}

TEST_F(SessionsTest, one_that_is_not_refreshed_is_over) {
  const auto begun = begin();
  clock_.advance(12h - 1ns);
  EXPECT_TRUE(active(begun));
  const std::string token = refresh(begun.refresh_token).refresh_token;
  clock_.advance(12h - 1ns);
  EXPECT_TRUE(active(begun));
  clock_.advance(1ns);
  EXPECT_FALSE(active(begun));
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(refresh(token).session.id, begun.id);
  EXPECT_EQ(outcome(token), RefreshOutcome::unknown);
}

TEST_F(SessionsTest, after_thirty_days_one_is_over_however_much_it_is_used) {
  const auto begun = begin();
  std::string token = begun.refresh_token;
  for (int i = 1; i < 60; ++i) {
    clock_.advance(12h - 1s);
    token = refresh(token).refresh_token;
    ASSERT_TRUE(active(begun)) << i;
  }
  clock_.advance(1min);
  token = refresh(token).refresh_token;
  clock_.advance(list()[0].begun + 720h - 1ns - now());
  EXPECT_TRUE(active(begun));
  clock_.advance(1ns);
  EXPECT_FALSE(active(begun));
  EXPECT_EQ(outcome(token), RefreshOutcome::over);
}

TEST_F(SessionsTest, one_that_is_ended_is_refused_at_once) {
  const auto begun = begin(), other = begin();
  EXPECT_EQ(sessions_->end(begun.id).value(), true);
  EXPECT_FALSE(active(begun));
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::unknown);
  EXPECT_TRUE(active(other));
  EXPECT_EQ(sessions_->end(begun.id).value(), false);
}

TEST_F(SessionsTest, all_of_a_user_end_and_nobody_elses) {
  const auto one = begin(), two = begin(), graces = begin("grace");
  EXPECT_EQ(sessions_->end_all("ada").value(), 2U);
  EXPECT_FALSE(active(one) || active(two));
  EXPECT_TRUE(list().empty());
  EXPECT_TRUE(active(graces));
  EXPECT_EQ(sessions_->end_all("ada").value(), 0U);
}

TEST_F(SessionsTest, the_oldest_of_a_user_ends_for_one_too_many) {
  open({.per_user_max = 2});
  const auto graces = begin("grace");
  const auto first = begin();
  clock_.advance(1s);
  const auto second = begin();
  EXPECT_TRUE(second.made_room.empty());
  clock_.advance(1s);
  const auto third = begin();
  ASSERT_EQ(third.made_room.size(), 1U);
  EXPECT_EQ(third.made_room[0].id, first.id);
  EXPECT_FALSE(active(first));
  EXPECT_TRUE(active(second) && active(third) && active(graces));
}

TEST_F(SessionsTest, one_that_is_refreshed_without_end_ends) {
  open({.refreshes_max = 3});
  std::string token = begin().refresh_token;
  for (int i = 0; i < 3; ++i) token = refresh(token).refresh_token;
  EXPECT_EQ(outcome(token), RefreshOutcome::over);
  EXPECT_TRUE(list().empty());
}

class LostAnswer : public SessionsTest {
 protected:
  void SetUp() override { open({.lost_answer_leeway = 10s}); }
};

TEST_F(LostAnswer, a_token_may_come_once_more_soon_after) {
  const auto begun = begin();
  const std::string lost = refresh(begun.refresh_token).refresh_token;
  clock_.advance(10s);
  const auto again = refresh(begun.refresh_token);
  ASSERT_EQ(again.outcome, RefreshOutcome::renewed);
  EXPECT_NE(again.refresh_token, lost);
  EXPECT_EQ(outcome(again.refresh_token), RefreshOutcome::renewed);
  EXPECT_TRUE(active(begun));
}

TEST_F(LostAnswer, if_it_was_not_lost_its_use_ends_the_session) {
  const auto begun = begin();
  const std::string not_lost = refresh(begun.refresh_token).refresh_token;
  const std::string thiefs = refresh(begun.refresh_token).refresh_token;
  EXPECT_EQ(outcome(not_lost), RefreshOutcome::reused);
  EXPECT_FALSE(active(begun));
  EXPECT_EQ(outcome(thiefs), RefreshOutcome::unknown);
}

TEST_F(LostAnswer, twice_late_or_after_its_successor_was_used_is_a_reuse) {
  auto begun = begin();
  refresh(begun.refresh_token);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::renewed);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::reused);
  begun = begin();
  refresh(begun.refresh_token);
  clock_.advance(10s + 1ns);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::reused);
  begun = begin();
  refresh(refresh(begun.refresh_token).refresh_token);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::reused);
  begun = begin();
  refresh(begun.refresh_token);
  clock_.jump(-1h);
  EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::reused) << "a clock that goes back opens nothing";
}

TEST_F(SessionsTest, what_a_client_says_is_cut_and_made_printable) {
  const std::string bad = std::string("Fire\nfox\xff\x1b[0m é\0", 17);
  const auto begun = sessions_->begin("ada", {.description = bad, .address = std::string(10'000, 'a')}, now());
  ASSERT_TRUE(begun);
  EXPECT_EQ(list()[0].client.description, "Fire?fox??[0m é?");
  EXPECT_EQ(list()[0].client.address, std::string(200, 'a'));
  std::string letters;
  for (int i = 0; i < 150; ++i) letters += "é";
  ASSERT_TRUE(sessions_->begin("grace", {.description = letters, .address = ""}, now()));
  EXPECT_EQ(list("grace")[0].client.description, letters.substr(0, 200));
}

TEST_F(SessionsTest, of_all_who_show_a_token_at_once_one_gets_another) {
  const auto begun = begin();
  std::atomic<int> renewed = 0, reused = 0, unknown = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      const auto got = outcome(begun.refresh_token);
      ++(got == RefreshOutcome::renewed ? renewed : got == RefreshOutcome::reused ? reused : unknown);
    });
  callers.clear();
  EXPECT_EQ(renewed, 1);
  EXPECT_EQ(reused, 1);
  EXPECT_EQ(unknown, 2);
  EXPECT_FALSE(active(begun));
}

TEST_F(SessionsTest, requests_are_answered_while_sessions_come_and_go) {
  const auto stays = begin("grace");
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back([&] {
      while (!done) wrong += active(stays) && list("grace").size() == 1 ? 0 : 1;
    });
  for (int i = 0; i < 50; ++i) {
    const auto begun = begin();
    EXPECT_TRUE(active(begun));
    EXPECT_EQ(outcome(begun.refresh_token), RefreshOutcome::renewed);
    ASSERT_TRUE(sessions_->end(begun.id));
    EXPECT_FALSE(active(begun));
  }
  done = true;
  callers.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace rltune::access
