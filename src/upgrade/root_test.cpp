#include "rltune/upgrade/root.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class RootTest : public ::testing::Test {
 protected:
  void unfinished(const std::string& version) const {
    ASSERT_TRUE(write_file(root_.unfinished_folder(version) / "bin" / "rltune-up", "program"));
  }
  TemporaryFolder folder_;
  Root root_{folder_.path() / "root"};
};

TEST_F(RootTest, a_version_is_there_when_it_is_in_its_place) {
  unfinished("0.1.0");
  EXPECT_FALSE(root_.has("0.1.0"));
  EXPECT_TRUE(root_.versions().empty());
  ASSERT_TRUE(root_.place("0.1.0"));
  EXPECT_TRUE(root_.has("0.1.0"));
  EXPECT_THAT(root_.versions(), ElementsAre("0.1.0"));
  ASSERT_TRUE(root_.remove("0.1.0"));
  EXPECT_TRUE(root_.versions().empty());
  EXPECT_FALSE(fs::exists(root_.unfinished_folder("0.1.0")));
}

TEST_F(RootTest, links_move_from_version_to_version) {
  for (const char* version : {"0.1.0", "0.2.0"}) {
    unfinished(version);
    ASSERT_TRUE(root_.place(version));
  }
  EXPECT_EQ(root_.current(), "");
  ASSERT_TRUE(root_.set_current("0.1.0"));
  ASSERT_TRUE(root_.set_current("0.2.0"));
  ASSERT_TRUE(root_.set_previous("0.1.0"));
  EXPECT_EQ(root_.current(), "0.2.0");
  EXPECT_EQ(root_.previous(), "0.1.0");
  EXPECT_EQ(read_file(root_.folder() / "current" / "bin" / "rltune-up"), "program");
  ASSERT_TRUE(root_.set_current(""));
  EXPECT_EQ(root_.current(), "");
}

// As a kill between the two steps of a switch leaves it.
TEST_F(RootTest, a_link_that_was_made_and_not_moved_is_in_nobodys_way) {
  unfinished("0.1.0");
  ASSERT_TRUE(root_.place("0.1.0"));
  fs::create_symlink("versions/0.0.9", root_.folder() / ".current.next");
  ASSERT_TRUE(root_.set_current("0.1.0"));
  EXPECT_EQ(root_.current(), "0.1.0");
}

TEST_F(RootTest, one_command_at_a_time) {
  auto first = root_.lock();
  ASSERT_TRUE(first);
  EXPECT_EQ(root_.lock().error().code, Errc::timeout);
  std::optional<Root::Lock> held(std::move(*first));
  EXPECT_FALSE(root_.lock());
  held.reset();
  EXPECT_TRUE(root_.lock());
}

TEST_F(RootTest, a_note_says_what_is_under_way) {
  ASSERT_TRUE(root_.lock());
  EXPECT_FALSE(root_.note()->has_value());
  const Note note{.kind = Note::Kind::rollback,
                  .step = Note::Step::undo,
                  .from = "0.2.0",
                  .to = "0.1.0",
                  .begun = "2026-01-02T03:04:05Z",
                  .why = "io is backoff",
                  .sites = {{"/north/site.yaml", "/run/north", {"io", "agent.climate"}}}};
  ASSERT_TRUE(root_.save(note));
  const auto read = root_.note();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ(encode(**read), encode(note));
  ASSERT_TRUE(root_.forget_note());
  EXPECT_FALSE(root_.note()->has_value());
  EXPECT_TRUE(root_.forget_note());
}

TEST_F(RootTest, a_damaged_note_is_told_and_not_guessed_at) {
  const std::string good = encode(Note{.from = "a", .to = "b"});
  ASSERT_TRUE(decode_note(good));
  for (std::size_t size = 0; size + 2 < good.size(); ++size)
    EXPECT_EQ(decode_note(good.substr(0, size)).error().code, Errc::corrupt) << size;
  for (const auto& [word, other] : {std::pair{"\"apply\"", "\"other\""}, std::pair{"\"unpack\"", "\"other\""},
                                    std::pair{"\"sites\": []", "\"sites\": [1]"}, std::pair{"\"from\"", "\"form\""}}) {
    std::string bad = good;
    bad.replace(bad.find(word), std::string_view(word).size(), other);
    EXPECT_FALSE(decode_note(bad)) << bad;
  }
}

TEST_F(RootTest, keys_are_those_of_the_folder) {
  EXPECT_TRUE(root_.keys()->empty());
  ASSERT_TRUE(write_file(root_.folder() / "keys" / "builder.pub", std::string(64, 'a') + "\n"));
  ASSERT_TRUE(write_file(root_.folder() / "keys" / "README", "not a key"));
  EXPECT_THAT(*root_.keys(), ElementsAre(std::string(64, 'a')));
  ASSERT_TRUE(write_file(root_.folder() / "keys" / "bad.pub", "x\n"));
  EXPECT_FALSE(root_.keys());
}

}  // namespace
}  // namespace rltune::upgrade
