#include "rltune/base/damage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <format>

#include "rltune/base/file.hpp"

namespace rltune {
namespace {

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-damage-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(DamageTest, is_kept_beside_with_its_log_and_told) {
  const auto file = folder_ / "registry.db";
  std::vector<Damage> heard;
  for (int i = 0; i < 2; ++i) {
    for (const char* part : {"", "-wal", "-shm"}) ASSERT_TRUE(write_file(file.string() + part, part));
    const DamageListener listener([&](const Damage& damage) { heard.push_back(damage); });
    ASSERT_TRUE(put_aside(file, "it is no database", "it begins anew"));
  }
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_NE(heard[0].kept, heard[1].kept);
  for (const Damage& damage : heard) {
    EXPECT_EQ(damage.file, file);
    EXPECT_EQ(damage.why, "it is no database");
    EXPECT_EQ(read_file(damage.kept).value_or("none"), "");
    EXPECT_EQ(read_file(damage.kept.string() + "-wal").value_or("none"), "-wal");
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(put_aside_in(folder_).size(), 2U);
}

TEST_F(DamageTest, what_nobody_heard_is_told_to_who_comes_first) {
  ASSERT_TRUE(write_file(folder_ / "a" / "b", "b"));
  ASSERT_TRUE(put_aside(folder_ / "a", "why", "now"));
  EXPECT_FALSE(put_aside(folder_ / "missing", "why", "now"));
  std::vector<Damage> first, second;
  const DamageListener one([&](const Damage& damage) { first.push_back(damage); });
  const DamageListener two([&](const Damage& damage) { second.push_back(damage); });
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(first[1].kept.empty());
  EXPECT_TRUE(second.empty());
  tell_damage({.file = folder_ / "mine", .kept = {}, .why = "why", .now = "now"});
  EXPECT_EQ(first.size(), 3U);
  EXPECT_EQ(second.size(), 1U);
  EXPECT_EQ(put_aside_in(folder_).size(), 1U) << "a folder counts once";
}

}  // namespace
}  // namespace rltune
