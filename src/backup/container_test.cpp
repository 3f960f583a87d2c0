#include "rltune/backup/container.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/base/sha256.hpp"
#include "scratch_folder.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

class ContainerTest : public testing::Test {
 protected:
  void SetUp() override {
    put("site.yaml", "name: greenhouse\n");
    put("data/empty", "");
    put("data/decisions/decisions-2026-01-02.db", std::string(3000, 'd'));
    ASSERT_TRUE(pack(manifest_, from(), key_, file()));
  }
  void put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(write_file(from() / name, bytes));
    manifest_.parts.push_back({.name = name, .kind = "file", .size = bytes.size(), .sha256 = sha256(bytes)});
  }
  fs::path from() const { return scratch_.path() / "from"; }
  fs::path to() const { return scratch_.path() / "to"; }
  fs::path file() const { return scratch_.path() / "x.rltune-backup"; }
  Errc refused(const std::string& bytes) const {
    EXPECT_TRUE(write_file(file(), bytes));
    const auto done = unpack(file(), key_, to());
    EXPECT_FALSE(fs::exists(to()) && !done) << "nothing stays behind";
    return done ? Errc::internal : done.error().code;
  }

  historian::ScratchFolder scratch_;
  Key key_ = Key::parse(std::string(64, 'a')).value();
  Manifest manifest_{.created = "2026-01-02T03:00:00Z", .version = "1", .name = "greenhouse", .site = "site.yaml"};
};

TEST_F(ContainerTest, gives_back_what_it_was_given) {
  const auto manifest = read_manifest(file(), key_);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(to_text(*manifest), to_text(manifest_));
  const auto unpacked = unpack(file(), key_, to());
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  for (const Part& part : manifest_.parts)
    EXPECT_EQ(read_file(to() / part.name).value(), read_file(from() / part.name).value());
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(read_file(file()).value().find("greenhouse"), std::string::npos) << "it is encrypted";
}

TEST_F(ContainerTest, takes_parts_of_many_messages) {
  Random random(3);
  std::string noise(5'000'000, '\0');
  for (char& c : noise) c = static_cast<char>(random.below(256));
  put("data/noise", noise);
  put("data/zeros", std::string(3'000'000, '\0'));
  ASSERT_TRUE(pack(manifest_, from(), key_, file()));
  ASSERT_TRUE(unpack(file(), key_, to()));
  EXPECT_EQ(read_file(to() / "data/noise").value(), noise);
  EXPECT_EQ(fs::file_size(to() / "data/zeros"), 3'000'000U);
  fs::remove_all(to());
  // Two messages that change places.
  std::string bytes = read_file(file()).value();
  const std::size_t frame = 4 + (1U << 20U) + 17;
  const std::string first = bytes.substr(56, frame), second = bytes.substr(56 + frame, frame);
  EXPECT_EQ(refused(bytes.substr(0, 56) + second + first + bytes.substr(56 + 2 * frame)), Errc::corrupt);
  EXPECT_EQ(refused(bytes.substr(0, 56) + first + bytes.substr(56 + 2 * frame)), Errc::corrupt) << "one is left out";
}

TEST_F(ContainerTest, every_changed_byte_is_refused) {
  const std::string bytes = read_file(file()).value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] ^= 1;
    const Errc code = refused(changed);
    ASSERT_NE(code, Errc::internal) << at;
    ASSERT_TRUE(code == Errc::corrupt || at < 32) << at;
  }
}

TEST_F(ContainerTest, every_cut_is_refused) {
  const std::string bytes = read_file(file()).value();
  for (std::size_t size = 0; size < bytes.size(); ++size) ASSERT_NE(refused(bytes.substr(0, size)), Errc::internal);
  EXPECT_EQ(refused(bytes + "x"), Errc::corrupt);
  EXPECT_EQ(refused(bytes + bytes), Errc::corrupt);
}

TEST_F(ContainerTest, another_key_is_told_from_damage) {
  const Key other = Key::parse(std::string(64, 'b')).value();
  const auto refused_key = unpack(file(), other, to());
  ASSERT_FALSE(refused_key);
  EXPECT_EQ(refused_key.error().code, Errc::denied);
  EXPECT_FALSE(Key::parse("abc"));
  EXPECT_FALSE(Key::parse(std::string(64, 'g')));
}

TEST_F(ContainerTest, a_key_is_made_once_for_its_owner) {
  const fs::path path = scratch_.path() / "key";
  EXPECT_EQ(find_backup_key(path).error().code, Errc::not_found);
  ASSERT_TRUE(Key::make_file(path));
  EXPECT_TRUE(find_backup_key(path));
  EXPECT_FALSE(Key::make_file(path)) << "what it opened would be lost";
}

TEST_F(ContainerTest, a_manifest_leads_nowhere_else) {
  for (const char* name : {"../x", "/etc/x", "a/../../x", "", ".", "a/", "a//b", "./a"}) {
    Manifest manifest = manifest_;
    manifest.parts.push_back({.name = name, .kind = "file", .size = 0, .sha256 = ""});
    EXPECT_FALSE(parse_manifest(to_text(manifest))) << name;
  }
  Manifest twice = manifest_;
  twice.parts.push_back(twice.parts[0]);
  EXPECT_FALSE(parse_manifest(to_text(twice)));
  Manifest lost = manifest_;
  lost.site = "other.yaml";
  EXPECT_FALSE(parse_manifest(to_text(lost)));
  EXPECT_TRUE(parse_manifest(to_text(manifest_)));
}

TEST_F(ContainerTest, a_part_that_changed_meanwhile_makes_no_backup) {
  fs::remove(file());
  ASSERT_TRUE(write_file(from() / "data/decisions/decisions-2026-01-02.db", std::string(3000, 'e')));
  EXPECT_EQ(pack(manifest_, from(), key_, file()).error().code, Errc::mismatch);
  ASSERT_TRUE(write_file(from() / "data/decisions/decisions-2026-01-02.db", "short"));
  EXPECT_EQ(pack(manifest_, from(), key_, file()).error().code, Errc::mismatch);
  EXPECT_TRUE(fs::is_empty(scratch_.path()) || !fs::exists(file()));
}

}  // namespace
}  // namespace rltune::backup
