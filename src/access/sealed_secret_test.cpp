#include "rltune/access/sealed_secret.hpp"

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "rltune/access/secret.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

class SealedSecretTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "sealed";
  SealedSecret sealed_{file_};
};

TEST_F(SealedSecretTest, it_works_once_and_nothing_is_left_of_it) {
  const auto secret = sealed_.make();
  ASSERT_TRUE(secret);
  EXPECT_EQ(sealed_.take(make_secret()), false);
  EXPECT_EQ(sealed_.take(""), false);
  EXPECT_EQ(sealed_.take(*secret), true);
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_EQ(sealed_.take(*secret), false);
}

TEST_F(SealedSecretTest, the_file_holds_a_hash_for_its_owner_alone) {
  const auto secret = sealed_.make();
  ASSERT_TRUE(secret);
  const std::string kept = read_file(file_).value_or("");
  EXPECT_TRUE(kept.starts_with("$argon2id$")) << kept;
  EXPECT_EQ(kept.find(*secret), std::string::npos);
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  EXPECT_EQ(sealed_.take(*secret).error().code, Errc::denied);
}

TEST_F(SealedSecretTest, a_new_one_ends_the_one_before) {
  const auto first = sealed_.make(), second = sealed_.make();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(sealed_.take(*first), false);
  EXPECT_EQ(sealed_.take(*second), true);
}

TEST_F(SealedSecretTest, of_all_who_show_it_at_once_one_is_right) {
  const auto secret = sealed_.make();
  ASSERT_TRUE(secret);
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 4; ++i) all.emplace_back([&] { right += sealed_.take(*secret).value_or(false) ? 1 : 0; });
  }
  EXPECT_EQ(right, 1);
}

// A file that cannot be used up lets nobody in: it would do so again.
TEST_F(SealedSecretTest, what_cannot_be_used_up_is_not_taken) {
  const auto secret = sealed_.make();
  ASSERT_TRUE(secret);
  // To root nothing is forbidden: this thread looks at files as somebody who has this one and not its folder.
  constexpr uid_t kNobody = 65534;
  const bool root = ::geteuid() == 0;
  if (root && ::chown(file_.c_str(), kNobody, kNobody) != 0) GTEST_SKIP() << "there is nobody else here to be";
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
  if (root) ::setfsuid(kNobody);
  const auto taken = sealed_.take(*secret);
  if (root) ::setfsuid(0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0700), 0);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::io);
  EXPECT_TRUE(std::filesystem::exists(file_));
}

}  // namespace
}  // namespace rltune::access
