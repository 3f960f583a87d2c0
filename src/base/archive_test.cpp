#include "rltune/base/archive.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "rltune/base/file.hpp"

namespace rltune {
namespace {

class ArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "rltune-archive-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

struct Thing {
  double number = 0.0;
  std::vector<float> fixed = std::vector<float>(3);
  std::vector<int> free;
  std::string name;
  Random random{1};
  void archive(Archive& archive) {
    archive.value(number);
    archive.values(std::span(fixed));
    archive.resized(free);
    archive.text(name);
    archive.random(random);
  }
};

TEST_F(ArchiveTest, what_was_written_comes_back) {
  Thing thing{.number = 1.5, .fixed = {1, 2, 3}, .free = {4, 5}, .name = "critic"};
  thing.random.normal();
  Archive out = Archive::writer("thing/1");
  thing.archive(out);
  ASSERT_TRUE(out.write(folder_ / "thing"));
  auto in = Archive::read(folder_ / "thing", "thing/1");
  ASSERT_TRUE(in);
  Thing copy;
  copy.archive(*in);
  ASSERT_TRUE(in->result());
  EXPECT_EQ(copy.number, 1.5);
  EXPECT_EQ(copy.fixed, thing.fixed);
  EXPECT_EQ(copy.free, thing.free);
  EXPECT_EQ(copy.name, "critic");
  EXPECT_EQ(copy.random.normal(), thing.random.normal());
}

TEST_F(ArchiveTest, damage_and_other_formats_are_refused) {
  Thing thing;
  Archive out = Archive::writer("thing/1");
  thing.archive(out);
  ASSERT_TRUE(out.write(folder_ / "thing"));
  EXPECT_EQ(Archive::read(folder_ / "thing", "thing/2").error().code, Errc::mismatch);
  EXPECT_EQ(Archive::read(folder_ / "none", "thing/1").error().code, Errc::not_found);
  std::string bytes = *read_file(folder_ / "thing");
  for (const std::size_t position : {std::size_t{3}, std::size_t{30}, bytes.size() - 70, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[position] ^= 1;
    ASSERT_TRUE(write_file(folder_ / "damaged", damaged));
    EXPECT_EQ(Archive::read(folder_ / "damaged", "thing/1").error().code, Errc::corrupt);
  }
  ASSERT_TRUE(write_file(folder_ / "short", bytes.substr(0, bytes.size() / 2)));
  EXPECT_EQ(Archive::read(folder_ / "short", "thing/1").error().code, Errc::corrupt);
}

TEST_F(ArchiveTest, a_table_of_another_size_fails_the_archive) {
  Thing thing;
  Archive out = Archive::writer("thing/1");
  thing.archive(out);
  ASSERT_TRUE(out.write(folder_ / "thing"));
  auto in = Archive::read(folder_ / "thing", "thing/1");
  Thing other;
  other.fixed.resize(4);
  other.archive(*in);
  EXPECT_EQ(in->result().error().code, Errc::mismatch);
}

}  // namespace
}  // namespace rltune
