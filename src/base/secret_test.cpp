#include "rltune/base/secret.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rltune/base/file.hpp"

namespace rltune {
namespace {

class Secret : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override {
    ::unsetenv("RLTUNE_SOME_KEY");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(folder_);
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rltune_secret_" + std::to_string(::getpid()));
};

TEST_F(Secret, comes_from_environment_then_credential_then_file) {
  const auto file = folder_ / "key";
  EXPECT_EQ(find_secret("some-key", file).value(), std::nullopt);
  ASSERT_TRUE(write_secret_file(file, "of the file\n"));
  EXPECT_EQ(find_secret("some-key", file).value(), "of the file");
  EXPECT_EQ(find_secret("some-key").value(), std::nullopt);
  ASSERT_TRUE(write_file(folder_ / "rltune-some-key", " of the credential "));
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(find_secret("some-key", file).value(), "of the credential");
  ::setenv("RLTUNE_SOME_KEY", "of the environment", 1);
  EXPECT_EQ(find_secret("some-key", file).value(), "of the environment");
}

TEST_F(Secret, a_file_that_others_may_read_is_refused) {
  const auto file = folder_ / "key";
  ASSERT_TRUE(write_secret_file(file, "secret"));
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  const auto refused = find_secret("some-key", file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace rltune
