#include "rltune/vault/vault.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::vault {
namespace {

const Place kHere{"history", "reason", "climate\n1.2.0\n7"};
constexpr const char* kWords = "Frost \"tonight\", 3 °C";

class VaultTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("RLTUNE_STORAGE_KEY"); }
  void TearDown() override { ::unsetenv("RLTUNE_STORAGE_KEY"); }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::filesystem::path key_file() const { return folder_.path() / "keys"; }

  TemporaryFolder folder_;
};

TEST_F(VaultTest, opens_what_it_put_there_and_shows_no_part_of_it) {
  const Vault vault = Vault::with({Key::make().value()});
  const std::string stored = vault.put(kWords, kHere);
  EXPECT_EQ(vault.open(stored, kHere).value(), kWords);
  EXPECT_EQ(vault.show(stored, kHere), kWords);
  EXPECT_EQ(stored.find("Frost"), std::string::npos);
  EXPECT_TRUE(stored.starts_with("encrypted:v1:" + vault.key_id() + ":")) << stored;
  EXPECT_NE(vault.put(kWords, kHere), stored) << "equal words do not show as equal";
  EXPECT_EQ(vault.put("", kHere), "") << "nothing said is nothing";
}

TEST_F(VaultTest, refuses_every_changed_byte) {
  const Vault vault = Vault::with({Key::make().value()});
  const std::string stored = vault.put(kWords, kHere);
  for (std::size_t at = 0; at < stored.size(); ++at)
    for (int change = 1; change < 256; ++change) {
      std::string changed = stored;
      changed[at] = static_cast<char>(changed[at] ^ change);
      ASSERT_FALSE(vault.open(changed, kHere)) << at << " ^ " << change << ": " << changed;
      ASSERT_FALSE(vault.show(changed, kHere).empty());
    }
}

TEST_F(VaultTest, refuses_every_cut_and_every_added_byte) {
  const Vault vault = Vault::with({Key::make().value()});
  const std::string stored = vault.put(kWords, kHere);
  // Shorter than its prefix it is some other word.
  for (std::size_t size = 13; size < stored.size(); ++size) ASSERT_FALSE(vault.open(stored.substr(0, size), kHere));
  for (std::size_t at = 0; at <= stored.size(); ++at)
    for (const char added : {'A', '0', ':', '_'}) {
      std::string changed = stored;
      changed.insert(at, 1, added);
      if (at < 13 && vault.open(changed, kHere)) {
        EXPECT_EQ(vault.open(changed, kHere).value(), changed) << "no value of ours, and shown as it is";
        continue;
      }
      ASSERT_FALSE(vault.open(changed, kHere)) << at << " " << added;
    }
}

TEST_F(VaultTest, a_value_opens_nowhere_else) {
  const Vault vault = Vault::with({Key::make().value()});
  const std::string stored = vault.put(kWords, kHere);
  for (const Place& other : {Place{"history", "reason", "climate\n1.2.0\n8"}, Place{"history", "user", kHere.row},
                             Place{"versions", "reason", kHere.row}, Place{"historyr", "eason", kHere.row}}) {
    const auto opened = vault.open(stored, other);
    ASSERT_FALSE(opened) << other.table;
    EXPECT_EQ(opened.error().code, Errc::corrupt);
    EXPECT_EQ(vault.show(stored, other), "damaged (it is not what was written here)");
  }
}

TEST_F(VaultTest, another_key_says_which_one_is_needed) {
  const Vault ours = Vault::with({Key::make().value()}), theirs = Vault::with({Key::make().value()});
  const std::string stored = ours.put(kWords, kHere);
  EXPECT_EQ(theirs.open(stored, kHere).error().code, Errc::denied);
  EXPECT_EQ(theirs.show(stored, kHere), "encrypted (key " + ours.key_id() + ")");
  EXPECT_EQ(Vault().show(stored, kHere), "encrypted (key " + ours.key_id() + ")");
}

TEST_F(VaultTest, without_a_note_words_stay_as_they_are_and_none_passes_for_encrypted) {
  const Vault plain = Vault::of(data());
  EXPECT_FALSE(plain.encrypts());
  EXPECT_TRUE(plain.allows());
  EXPECT_EQ(plain.put(kWords, kHere), kWords);
  const std::string forged = Vault::with({Key::make().value()}).put("x", kHere);
  EXPECT_EQ(plain.show(plain.put(forged, kHere), kHere), " " + forged);
}

TEST_F(VaultTest, the_note_of_a_data_folder_leads_to_the_key) {
  ASSERT_TRUE(Key::make_file(key_file()));
  EXPECT_FALSE(Key::make_file(key_file())) << "a key is not replaced";
  struct stat status{};
  ASSERT_EQ(::stat(key_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_TRUE(declare(data(), {.encrypted = true, .key_file = key_file()}));
  const Vault vault = Vault::of(data());
  EXPECT_TRUE(vault.encrypts());
  ASSERT_TRUE(vault.allows()) << vault.allows().error().message;
  const std::string stored = vault.put(kWords, kHere);
  for (const char* inside : {"decisions", "audit/", "registry.db"})
    EXPECT_EQ(Vault::beside(data() / inside).show(stored, kHere), kWords) << inside;
  // What it was asked for no longer: words are plain again, and old ones can be read as long as the key is known.
  ASSERT_TRUE(declare(data(), {}));
  EXPECT_FALSE(Vault::of(data()).encrypts());
  EXPECT_EQ(Vault::of(data()).show(stored, kHere), "encrypted (key " + vault.key_id() + ")");
  const std::string digits = read_file(key_file()).value();
  ::setenv("RLTUNE_STORAGE_KEY", digits.c_str(), 1);
  EXPECT_EQ(Vault::of(data()).show(stored, kHere), kWords);
}

TEST_F(VaultTest, without_its_key_nothing_is_written_as_plain_text_and_orders_are_refused) {
  const auto refused = [&](const std::string& because) {
    const Vault vault = Vault::of(data());
    EXPECT_TRUE(vault.encrypts());
    ASSERT_FALSE(vault.allows());
    EXPECT_EQ(vault.allows().error().code, Errc::not_found);
    EXPECT_NE(vault.allows().error().message.find(because), std::string::npos) << vault.allows().error().message;
    EXPECT_EQ(vault.put(kWords, kHere), kWithheld);
    EXPECT_EQ(vault.show(kWithheld, kHere), kWithheld);
  };
  ASSERT_TRUE(declare(data(), {.encrypted = true, .key_file = key_file()}));
  refused(key_file().string() + " is not there");
  ASSERT_TRUE(write_secret_file(key_file(), "none\n"));
  refused("the key is not 64 hexadecimal digits");
  ASSERT_TRUE(write_secret_file(key_file(), ""));
  refused("the key is not 64 hexadecimal digits");
  ASSERT_TRUE(write_secret_file(key_file(), std::string(64, '7')));
  ASSERT_EQ(::chmod(key_file().c_str(), 0640), 0);
  refused("chmod 600");
  ASSERT_TRUE(write_file(data() / "encryption.json", "{"));
  refused("encryption.json cannot be read");
}

TEST_F(VaultTest, a_rotated_key_encrypts_and_the_old_one_still_reads) {
  ASSERT_TRUE(Key::make_file(key_file()));
  ASSERT_TRUE(declare(data(), {.encrypted = true, .key_file = key_file()}));
  const Vault before = Vault::of(data());
  const std::string old = before.put(kWords, kHere);
  ASSERT_TRUE(rotate(key_file()));
  const Vault after = Vault::of(data());
  EXPECT_NE(after.key_id(), before.key_id());
  EXPECT_EQ(after.show(old, kHere), kWords);
  const std::string now = after.put(kWords, kHere);
  EXPECT_TRUE(now.starts_with("encrypted:v1:" + after.key_id())) << now;
  EXPECT_EQ(before.show(now, kHere), "encrypted (key " + after.key_id() + ")") << "until it is started again";
  // One variable holds several keys as well.
  const std::string both = read_file(key_file()).value();
  ASSERT_TRUE(declare(data(), {.encrypted = true}));
  EXPECT_FALSE(Vault::of(data()).allows());
  ::setenv("RLTUNE_STORAGE_KEY", both.c_str(), 1);
  EXPECT_EQ(Vault::of(data()).show(old, kHere), kWords);
  EXPECT_EQ(Vault::of(data()).show(now, kHere), kWords);
  ASSERT_TRUE(write_file(key_file(), "no key"));
  EXPECT_FALSE(rotate(key_file()));
}

}  // namespace
}  // namespace rltune::vault
