#include "rltune/access/one_time_links.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "manual_clock.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;

const OneTimeLink kInvitation{.purpose = "invitation", .subject = "ada"};

class OneTimeLinksTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "door" / "links.db"; }
  OneTimeLinks open() const { return OneTimeLinks::open(file()).value(); }
  // What a process killed at this moment leaves, opened anew.
  OneTimeLinks as_after_a_kill() {
    const auto copy = folder_.path() / std::to_string(++copies_) / "links.db";
    std::filesystem::create_directories(copy.parent_path());
    for (const char* part : {"", "-wal"})
      if (std::filesystem::exists(file().string() + part))
        std::filesystem::copy_file(file().string() + part, copy.string() + part);
    return OneTimeLinks::open(copy).value();
  }
  TimePoint now() const { return clock_.now(); }

  TemporaryFolder folder_;
  ManualClock clock_{parse_rfc3339("2026-01-02T00:00:00Z").value()};
  int copies_ = 0;
};

TEST_F(OneTimeLinksTest, a_link_works_once) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  EXPECT_EQ(secret.size(), 43U);
  EXPECT_EQ(links.look(secret, now()).value(), kInvitation) << "looking takes nothing";
  EXPECT_EQ(links.take(secret, now()).value(), kInvitation);
  EXPECT_EQ(links.take(secret, now()).error().code, Errc::denied);
  EXPECT_EQ(links.look(secret, now()).error().code, Errc::denied);
}

TEST_F(OneTimeLinksTest, nothing_else_is_one) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  std::string changed = secret;
  changed[20] = changed[20] == 'A' ? 'B' : 'A';
  for (const std::string& other : {changed, secret + "A", secret.substr(1), std::string(), std::string(43, 'A'),
                                   std::string(43, '\0'), std::string(1'000'000, 'A')})
    EXPECT_EQ(links.take(other, now()).error().code, Errc::denied);
  EXPECT_TRUE(links.take(secret, now()));
}

TEST_F(OneTimeLinksTest, a_link_ends) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  clock_.advance(24h - 1ns);
  EXPECT_TRUE(links.look(secret, now()));
  clock_.advance(1ns);
  EXPECT_EQ(links.look(secret, now()).error().code, Errc::denied);
  EXPECT_EQ(links.take(secret, now()).error().code, Errc::denied);
}

TEST_F(OneTimeLinksTest, a_new_one_for_the_same_ends_the_one_before) {
  OneTimeLinks links = open();
  const std::string first = links.make(kInvitation, 24h, now()).value();
  const std::string reset = links.make({.purpose = "reset", .subject = "ada"}, 24h, now()).value();
  const std::string second = links.make(kInvitation, 24h, now()).value();
  EXPECT_FALSE(links.take(first, now()));
  EXPECT_TRUE(links.take(second, now()));
  EXPECT_TRUE(links.take(reset, now()));
}

TEST_F(OneTimeLinksTest, one_that_is_withdrawn_is_good_for_nothing) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  EXPECT_EQ(links.withdraw({.purpose = "invitation", .subject = "grace"}, now()).value(), false);
  EXPECT_EQ(links.withdraw(kInvitation, now()).value(), true);
  EXPECT_FALSE(links.take(secret, now()));
  EXPECT_EQ(links.withdraw(kInvitation, now()).value(), false);
}

TEST_F(OneTimeLinksTest, what_was_answered_outlives_a_kill) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  EXPECT_TRUE(as_after_a_kill().take(secret, now()));
  ASSERT_TRUE(links.take(secret, now()));
  EXPECT_FALSE(as_after_a_kill().take(secret, now()));
  const std::string withdrawn = links.make(kInvitation, 24h, now()).value();
  ASSERT_TRUE(links.withdraw(kInvitation, now()));
  EXPECT_FALSE(as_after_a_kill().take(withdrawn, now()));
}

TEST_F(OneTimeLinksTest, of_all_who_take_it_at_once_one_gets_it) {
  OneTimeLinks here = open(), there = open();
  for (int round = 0; round < 10; ++round) {
    const std::string secret = here.make(kInvitation, 24h, now()).value();
    std::atomic<int> got = 0, refused = 0;
    std::vector<std::jthread> takers;
    for (int i = 0; i < 6; ++i)
      takers.emplace_back([&, i] {
        const auto taken = (i % 2 == 0 ? here : there).take(secret, now());
        if (taken)
          ++got;
        else if (taken.error().code == Errc::denied)
          ++refused;
      });
    takers.clear();
    EXPECT_EQ(got, 1);
    EXPECT_EQ(refused, 5);
  }
}

TEST_F(OneTimeLinksTest, the_file_is_its_owners_alone_and_holds_no_secret) {
  OneTimeLinks links = open();
  const std::string secret = links.make(kInvitation, 24h, now()).value();
  const auto owners = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  for (const char* part : {"", "-wal"}) {
    EXPECT_EQ(std::filesystem::status(file().string() + part).permissions(), owners) << part;
    EXPECT_FALSE(read_file(file().string() + part).value().contains(secret)) << part;
  }
  EXPECT_TRUE(read_file(file().string() + "-wal").value().contains("invitation")) << "it was the right file";
}

TEST_F(OneTimeLinksTest, a_damaged_file_is_put_aside_and_a_later_one_is_refused) {
  const std::string secret = open().make(kInvitation, 24h, now()).value();
  ASSERT_TRUE(write_file(file(), std::string(8192, 'x')));
  OneTimeLinks links = open();
  EXPECT_FALSE(links.take(secret, now()));
  EXPECT_TRUE(links.make(kInvitation, 24h, now()));
  EXPECT_EQ(put_aside_in(folder_.path()).size(), 1U);

  const auto other = folder_.path() / "later.db";  // user_version stands at byte 60 to 63 (SQLite, 1.3)
  {
    ASSERT_TRUE(OneTimeLinks::open(other));
  }
  std::string bytes = read_file(other).value();
  bytes[63] = 2;
  ASSERT_TRUE(write_file(other, bytes));
  EXPECT_EQ(OneTimeLinks::open(other).error().code, Errc::unsupported);
  EXPECT_EQ(put_aside_in(folder_.path()).size(), 1U);
}

TEST_F(OneTimeLinksTest, a_place_that_cannot_be_written_is_an_error_with_its_name) {
  ASSERT_TRUE(write_file(folder_.path() / "door", "a file where a folder should be"));
  const auto opened = OneTimeLinks::open(file());
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().message.contains("links.db")) << opened.error().message;
}

}  // namespace
}  // namespace rltune::access
