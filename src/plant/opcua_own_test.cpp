// The pair that follows ours: made in time, taken up whole, and never lost to a kill.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "temporary_folder.hpp"

namespace rltune::plant {
namespace {

using std::chrono::days;

const TimePoint kToday = *parse_rfc3339("2026-03-01T12:00:00Z");
constexpr Duration kBefore = days(30);

class OpcuaOwnTest : public testing::Test {
 protected:
  OpcuaOwnTest() {
    EXPECT_TRUE(pki_.identity({.application_uri = "urn:a:rltune", .common_name = "Pilot", .days = 60}, kToday));
  }
  std::filesystem::path own(const char* name) const { return pki_.folder() / "own" / name; }
  std::string bytes(const char* name) const { return read_file(own(name)).value_or("none"); }
  void put(const char* certificate, const char* key, const Identity& identity) const {
    ASSERT_TRUE(write_file(own(certificate), identity.certificate));
    ASSERT_TRUE(write_secret_file(own(key), identity.key));
  }
  Identity another() const { return *make_successor(bytes("cert.der"), {}, kToday); }

  TemporaryFolder folder_;
  OpcuaPki pki_ = *OpcuaPki::open(folder_.path() / "pki");
};

TEST_F(OpcuaOwnTest, the_next_one_is_made_a_month_before_the_end_for_the_same_application) {
  EXPECT_EQ(pki_.prepare_next(kToday + days(29), kBefore), false);
  EXPECT_FALSE(std::filesystem::exists(own("next.der")));
  const auto now = kToday + days(31);
  EXPECT_EQ(pki_.prepare_next(now, kBefore), true);
  const auto next = pki_.next({}, now);
  ASSERT_TRUE(next && *next);
  const auto present = *read_certificate(bytes("cert.der"));
  const auto info = *read_certificate((*next)->certificate);
  EXPECT_EQ(info.subject, present.subject);
  EXPECT_EQ(info.application_uri, "urn:a:rltune");
  EXPECT_EQ(info.hosts, present.hosts);
  EXPECT_EQ(info.key_bits, present.key_bits);
  EXPECT_GT(info.not_after, now + days(3600));
  EXPECT_NE((*next)->key, bytes("key.der")) << "a key of its own";
  struct stat status{};
  ASSERT_EQ(stat(own("next.key.der").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(OpcuaOwnTest, what_lies_there_as_the_next_one_stays) {
  put("next.der", "next.key.der", another());
  const std::string certificate = bytes("next.der"), key = bytes("next.key.der");
  EXPECT_EQ(pki_.prepare_next(kToday + days(59), kBefore), false);
  EXPECT_EQ(bytes("next.der"), certificate);
  EXPECT_EQ(bytes("next.key.der"), key);
  std::filesystem::remove(own("next.der"));
  ASSERT_TRUE(write_file(own("next.key.der"), "half of a k"));
  EXPECT_FALSE(pki_.prepare_next(kToday + days(59), kBefore)) << "somebody's file is not written over";
  EXPECT_EQ(bytes("next.key.der"), "half of a k");
}

TEST_F(OpcuaOwnTest, a_key_whose_certificate_was_not_made_yet_gets_it) {
  const Identity made = another();
  ASSERT_TRUE(write_secret_file(own("next.key.der"), made.key));
  ASSERT_EQ(pki_.prepare_next(kToday + days(59), kBefore), true);
  const auto next = pki_.next({}, kToday + days(59));
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->key, made.key);
  // And so at the very first start.
  std::filesystem::remove(own("cert.der"));
  const std::string key = bytes("key.der");
  const auto first = pki_.identity({}, kToday);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->key, key);
}

TEST_F(OpcuaOwnTest, the_next_pair_becomes_ours_and_the_one_before_is_kept) {
  const auto before = *pki_.identity({}, kToday);
  const auto next = another();
  put("next.der", "next.key.der", next);
  ASSERT_TRUE(pki_.use_next());
  const auto now = pki_.identity({}, kToday);
  ASSERT_TRUE(now);
  EXPECT_EQ(now->certificate, next.certificate);
  EXPECT_EQ(now->key, next.key);
  EXPECT_EQ(bytes("previous.der"), before.certificate);
  EXPECT_EQ(bytes("previous.key.der"), before.key);
  EXPECT_EQ(*pki_.next({}, kToday), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(own("next.key.der")));
}

TEST_F(OpcuaOwnTest, half_a_pair_is_no_pair_and_says_what_is_missing) {
  ASSERT_TRUE(write_file(own("next.der"), another().certificate));
  EXPECT_THAT(pki_.next({}, kToday).error().message, testing::HasSubstr("next.key.der"));
  EXPECT_FALSE(pki_.use_next());
  EXPECT_TRUE(pki_.identity({}, kToday)) << "ours is in use as before";
  ASSERT_TRUE(write_secret_file(own("next.key.der"), another().key));
  EXPECT_THAT(pki_.next({}, kToday).error().message, testing::HasSubstr("does not belong"));
}

TEST_F(OpcuaOwnTest, each_moment_of_the_switch_leaves_a_pair_and_is_finished_later) {
  const auto next = another();
  // The key is written, the certificate is not.
  put("next.der", "next.key.der", next);
  ASSERT_TRUE(write_secret_file(own("key.der"), next.key));
  EXPECT_EQ(pki_.identity({}, kToday)->certificate, next.certificate);
  ASSERT_TRUE(pki_.settle());
  EXPECT_EQ(bytes("cert.der"), next.certificate);
  EXPECT_FALSE(std::filesystem::exists(own("next.der")));
  // All is written, but for the clearing away.
  put("next.der", "next.key.der", next);
  ASSERT_TRUE(pki_.settle());
  EXPECT_FALSE(std::filesystem::exists(own("next.key.der")));
  ASSERT_TRUE(write_file(own("next.der"), next.certificate));
  ASSERT_TRUE(pki_.settle());
  EXPECT_FALSE(std::filesystem::exists(own("next.der")));
  EXPECT_TRUE(pki_.identity({}, kToday));
}

// Makes and takes up one pair after another until it is killed.
pid_t start_renewing(const OpcuaPki& pki) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (;;) {
    if (!pki.settle() || !pki.prepare_next(kToday, days(100'000)) || !pki.use_next()) ::_exit(1);
  }
}

TEST_F(OpcuaOwnTest, killed_at_any_moment_it_leaves_a_pair_that_can_be_loaded) {
  const std::string first = pki_.identity({}, kToday)->certificate;
  std::string seen = first;
  // A slow machine takes longer for its first pair.
  for (int round = 0; round < 20 || (seen == first && round < 40); ++round) {
    const pid_t child = start_renewing(pki_);
    // Not for a condition: the moment is what is varied.
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + 37 * round % 300 + (round < 20 ? 0 : 100 * round)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "a renewal failed in round " << round;
    const auto loaded = pki_.identity({}, kToday);
    ASSERT_TRUE(loaded) << "round " << round << ": " << loaded.error().message;
    ASSERT_TRUE(pki_.settle());
    EXPECT_EQ(pki_.identity({}, kToday)->certificate, loaded->certificate) << "settling changes nobody's mind";
    seen = loaded->certificate;
  }
  EXPECT_NE(seen, first);
}

}  // namespace
}  // namespace rltune::plant
