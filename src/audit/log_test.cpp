#include "rltune/audit/log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "log_file.hpp"
#include "manual_clock.hpp"
#include "rltune/audit/verify.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/vault/vault.hpp"
#include "scratch_folder.hpp"
#include "victim.hpp"

namespace rltune::audit {
namespace {

using namespace std::chrono_literals;

class LogTest : public testing::Test {
 protected:
  std::filesystem::path folder() const { return scratch_.path() / "audit"; }
  std::filesystem::path file() const { return folder() / "io" / "audit-2026-01-02.jsonl"; }
  Result<Log> open() { return Log::open(folder(), "io", clock_, 0s); }
  std::vector<Line> lines() const {
    std::vector<Line> lines;
    EXPECT_TRUE(read_lines(folder(), [&](const std::string&, const Line& line) {
      lines.push_back(line);
      return true;
    }));
    return lines;
  }
  RoleReport report() const { return verify(folder(), {}, "").value().at(0); }
  void append_to(const std::filesystem::path& path, const std::string& bytes) const {
    ASSERT_TRUE(write_file(path, read_file(path).value() + bytes));
  }

  historian::ScratchFolder scratch_;
  ManualClock clock_{parse_rfc3339("2026-01-02T10:00:00Z").value()};
};

TEST_F(LogTest, keeps_what_was_said_and_goes_on_after_a_restart) {
  {
    auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE(log->append({.actor = "mia", .action = "mode.change", .details = {{"to", "manual"}}}));
    clock_.advance(15h);
    ASSERT_TRUE(log->append({.actor = "tom", .action = "setpoint.write", .target = "heating", .reason = "frost"}));
    ASSERT_TRUE(log->sign_head());
  }
  auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->sequence(), 2U);
  clock_.advance(-20h);  // a clock that steps back
  ASSERT_TRUE(log->append({.actor = "tom", .action = "data.read"}));
  ASSERT_TRUE(log->sign_head());
  const auto all = lines();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].entry.details, (std::vector<std::pair<std::string, std::string>>{{"to", "manual"}}));
  EXPECT_EQ(format_rfc3339(all[1].entry.time), "2026-01-03T01:00:00Z");
  EXPECT_EQ(all[1].entry.reason, "frost");
  EXPECT_EQ(all[2].sequence, 3U);
  const RoleReport good = report();
  EXPECT_TRUE(good.faults.empty());
  EXPECT_EQ(good.files, 2U);
  EXPECT_EQ(good.last_signed, 3U);
}

TEST_F(LogTest, every_text_becomes_a_line) {
  auto log = open();
  ASSERT_TRUE(log);
  const std::string large(100'000, 'x');
  Entry many{.actor = "a\nb\"\\", .action = std::string("\xff\xfe\0z", 4), .reason = large};
  for (int i = 0; i < 100; ++i) many.details.emplace_back(std::to_string(i), large);
  ASSERT_TRUE(log->append(many));
  ASSERT_TRUE(log->append({.actor = "mia", .action = "data.read", .reason = std::string(3000, '\x01')}));
  const auto all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].entry.actor, "a\nb\"\\");
  EXPECT_EQ(all[0].entry.details[0].first, "omitted");
  EXPECT_EQ(all[1].entry.reason, std::string(3000, '\x01'));
}

TEST_F(LogTest, there_is_one_writer_a_role) {
  auto log = open();
  ASSERT_TRUE(log);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::timeout);
  EXPECT_TRUE(Log::open(folder(), "coredinator", clock_, 0s));
}

TEST_F(LogTest, the_key_is_made_once_and_is_the_owners_alone) {
  {
    ASSERT_TRUE(open());
  }
  struct stat status{};
  ASSERT_EQ(::stat((folder() / "key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto first = SigningKey::find_or_make(folder()), second = SigningKey::find_or_make(folder());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->public_key(), second->public_key());
  EXPECT_EQ(read_public_key(folder() / "key.pub").value(), first->public_key());
  ASSERT_EQ(::chmod((folder() / "key").c_str(), 0644), 0);
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
}

TEST_F(LogTest, a_torn_last_line_is_repaired_by_an_entry_of_its_own) {
  std::string next;
  {
    auto log = open();
    ASSERT_TRUE(log->append({.actor = "mia", .action = "mode.change"}));
    const std::string before = read_file(file()).value();
    ASSERT_TRUE(log->append({.actor = "mia", .action = "setpoint.write"}));
    next = read_file(file()).value().substr(before.size());
    ASSERT_TRUE(write_file(file(), before));
  }
  const std::string before = read_file(file()).value();
  for (std::size_t size = 1; size < next.size(); ++size) {
    ASSERT_TRUE(write_file(file(), before + next.substr(0, size)));
    ASSERT_TRUE(open());
    const auto all = lines();
    ASSERT_EQ(all.size(), 2U) << size;
    EXPECT_EQ(all[1].entry.action, "log.repaired");
    EXPECT_EQ(all[1].entry.details[0].second, std::to_string(size));
    EXPECT_EQ(all[1].entry.details[2].second, next.substr(0, size));
    const RoleReport good = report();
    ASSERT_TRUE(good.faults.empty()) << good.faults[0].what;
    ASSERT_EQ(good.repaired, 1U);
  }
}

TEST_F(LogTest, a_line_that_was_changed_is_no_crash) {
  {
    auto log = open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(log->append({.actor = "mia", .action = "mode.change"}));
    ASSERT_TRUE(log->sign_head());
  }
  std::string bytes = read_file(file()).value();
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(write_file(file(), bytes));
  {
    auto log = open();
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->append({.actor = "tom", .action = "mode.change"}));
    ASSERT_TRUE(log->sign_head());
  }
  EXPECT_EQ(read_file(file()).value(), bytes) << "it stays as it was found";
  EXPECT_TRUE(std::filesystem::exists(folder() / "io" / "audit-2026-01-02.2.jsonl"));
  EXPECT_EQ(lines().back().sequence, 7U);
  const RoleReport found = report();
  ASSERT_EQ(found.faults.size(), 1U);
  EXPECT_EQ(found.faults[0].kind, "changed");
  EXPECT_EQ(found.faults[0].line, 3U);
}

TEST_F(LogTest, a_log_that_ends_before_its_head_says_so) {
  std::string shorter;
  {
    auto log = open();
    ASSERT_TRUE(log->append({.actor = "mia", .action = "mode.change"}));
    shorter = read_file(file()).value();
    ASSERT_TRUE(log->append({.actor = "mia", .action = "setpoint.write"}));
    ASSERT_TRUE(log->sign_head());
  }
  ASSERT_TRUE(write_file(file(), shorter));
  ASSERT_TRUE(open());
  EXPECT_EQ(lines().back().entry.action, "log.cut");
  EXPECT_FALSE(report().faults.empty());
}

TEST_F(LogTest, what_was_refused_is_not_in_the_file) {
  auto log = open();
  ASSERT_TRUE(log->append({.actor = "mia", .action = "mode.change"}));
  const std::string before = read_file(file()).value();
  // The kernel refuses what goes beyond, as a full disk does.
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = before.size() + 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = log->append({.actor = "mia", .action = "setpoint.write"});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, ignored);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_space);
  EXPECT_EQ(read_file(file()).value(), before);
  ASSERT_TRUE(log->append({.actor = "mia", .action = "setpoint.write"}));
  EXPECT_EQ(lines().size(), 2U);
  EXPECT_TRUE(report().faults.empty());
}

TEST_F(LogTest, kill_loses_nothing_that_was_acknowledged) {
  Random random(11);
  std::uint64_t acknowledged_in_all = 0;
  std::uint64_t number = 0;
  for (int round = 0; round < 30; ++round) {
    historian::Victim victim([&](const historian::Victim::Report& tell) {
      auto log = Log::open(folder(), "io", clock_, 1s);
      if (!log) ::_exit(3);
      for (std::uint64_t i = number + 1;; ++i) {
        if (!log->append({.actor = "mia", .action = "setpoint.write", .target = std::to_string(i)})) ::_exit(4);
        if (i % 5 == 0 && !log->sign_head()) ::_exit(5);
        tell(i);
      }
    });
    victim.kill_after(std::chrono::microseconds(5'000 + random.below(40'000)));
    number = std::max(number, victim.last_report());
    acknowledged_in_all = number;
    // What a disk that lost power leaves of the line in hand.
    if (round % 3 == 0 && std::filesystem::exists(file())) append_to(file(), R"({"seq":)");
    {
      ASSERT_TRUE(open());
    }
    const RoleReport good = report();
    ASSERT_TRUE(good.faults.empty()) << good.faults[0].file << ":" << good.faults[0].line << " " << good.faults[0].what;
    std::uint64_t last = 0;
    for (const Line& line : lines()) {
      if (line.entry.action != "setpoint.write") continue;
      const std::uint64_t written = std::stoull(line.entry.target);
      ASSERT_EQ(written, last + 1);
      last = written;
    }
    ASSERT_GE(last, number);
    number = last;
  }
  EXPECT_GT(acknowledged_in_all, 0U);
}

class EncryptedLogTest : public LogTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(vault::Key::make_file(key_));
    ASSERT_TRUE(vault::declare(scratch_.path(), {.encrypted = true, .key_file = key_}));
  }
  void write_some() {
    auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE(log->append({.actor = "io", .action = "role.start", .reason = "as planned"}));
    for (const char* who : {"mia.keller", "tom.otis"})
      ASSERT_TRUE(log->append({.actor = who,
                               .action = "setpoint.write",
                               .target = "heating",
                               .reason = "Frost tonight \xC3\x28, 3 °C",
                               .details = {{"asked", "61.75"}}}));
    ASSERT_TRUE(log->append({.actor = "mia.keller", .action = "mode.change", .reason = std::string(20'000, 'x')}));
    ASSERT_TRUE(log->sign_head());
  }

  const std::filesystem::path key_ = scratch_.path() / "keys" / "north";
};

TEST_F(EncryptedLogTest, persons_words_are_nowhere_on_disk_and_the_chain_verifies_without_the_key) {
  write_some();
  const std::string text = read_file(file()).value();
  for (const char* word : {"mia.keller", "tom.otis", "Frost", "61.75", "xxxxxxxx"})
    EXPECT_EQ(text.find(word), std::string::npos) << word;
  EXPECT_NE(text.find("as planned"), std::string::npos) << "what a role says of itself is nobody's";
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].entry.actor, "mia.keller");
  EXPECT_EQ(all[2].entry.actor, "tom.otis");
  EXPECT_EQ(all[2].entry.reason, "Frost tonight \xEF\xBF\xBD(, 3 °C") << "what is no text becomes text";
  EXPECT_EQ(all[2].entry.details[0].second, "61.75");
  EXPECT_EQ(all[3].entry.reason.find_first_not_of('x'), std::string::npos) << "cut, and whole";
  EXPECT_GT(all[3].entry.reason.size(), 2000U);
  EXPECT_TRUE(report().faults.empty());

  std::filesystem::remove(key_);
  EXPECT_TRUE(report().faults.empty());
  for (const Line& line : lines()) {
    if (line.entry.actor == "io") continue;
    EXPECT_TRUE(line.entry.actor.starts_with("encrypted (key ")) << line.entry.actor;
    EXPECT_EQ(line.entry.target.empty(), line.entry.action == "mode.change");
  }
}

// Whoever can write files can chain lines anew; names that they moved do not open where they now stand.
TEST_F(EncryptedLogTest, a_name_that_was_moved_to_another_line_is_shown_as_damaged) {
  write_some();
  std::string_view rest;
  const std::string text = read_file(file()).value();
  std::vector<Line> stored;
  for (const std::string_view bytes : split_lines(text, rest)) stored.push_back(decode(bytes).value());
  std::swap(stored[1].entry.actor, stored[2].entry.actor);
  std::string forged;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (i > 0) stored[i].previous = stored[i - 1].hash;
    forged += encode(stored[i]);
  }
  ASSERT_TRUE(write_file(file(), forged));
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  for (const std::size_t moved : {1U, 2U}) EXPECT_TRUE(all[moved].entry.actor.starts_with("damaged (")) << moved;
  EXPECT_EQ(all[1].entry.reason, all[2].entry.reason);
  EXPECT_FALSE(report().faults.empty()) << "and the heads do not fit any more";
}

TEST_F(EncryptedLogTest, without_the_key_the_log_goes_on_and_says_nothing_of_persons) {
  std::filesystem::remove(key_);
  write_some();
  EXPECT_EQ(read_file(file()).value().find("mia.keller"), std::string::npos);
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].entry.actor, vault::kWithheld);
  EXPECT_EQ(all[1].entry.reason, vault::kWithheld);
  EXPECT_EQ(all[0].entry.reason, "as planned");
  EXPECT_TRUE(report().faults.empty());
}

}  // namespace
}  // namespace rltune::audit
