#include "rltune/base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rltune {
namespace {

std::filesystem::path scratch(const char* name) {
  auto folder = std::filesystem::temp_directory_path() / ("rltune_file_test_" + std::to_string(::getpid()));
  return folder / name;
}

TEST(File, written_bytes_come_back) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(write_file(scratch("deep/er/file"), bytes));
  EXPECT_EQ(read_file(scratch("deep/er/file")).value(), bytes);
}

TEST(File, missing_file_is_named) {
  const auto result = read_file(scratch("nowhere"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::not_found);
  EXPECT_NE(result.error().message.find("nowhere"), std::string::npos);
}

TEST(File, secrets_are_for_the_owner_alone) {
  ASSERT_TRUE(write_secret_file(scratch("key"), "secret"));
  struct stat info = {};
  ASSERT_EQ(::stat(scratch("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(File, full_disk_keeps_the_old_file) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  std::filesystem::create_directories(scratch(""));
  const auto target = scratch("kept");
  ASSERT_TRUE(write_file(target, "old"));
  const std::filesystem::path partial = target.string() + "." + std::to_string(::getpid()) + ".part";
  std::filesystem::create_symlink("/dev/full", partial);  // where the new bytes would go
  const auto result = write_file(target, "new");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::no_space);
  EXPECT_EQ(read_file(target).value(), "old");
}

}  // namespace
}  // namespace rltune
