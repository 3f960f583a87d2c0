#include "rltune/audit/verify.hpp"

#include <gtest/gtest.h>

#include "log_file.hpp"
#include "manual_clock.hpp"
#include "rltune/audit/head_export.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/base/file.hpp"
#include "scratch_folder.hpp"

namespace rltune::audit {
namespace {

using namespace std::chrono_literals;

class VerifyTest : public testing::Test {
 protected:
  // Three days, two lines each, a head at the end of each day.
  void SetUp() override {
    for (int day = 0; day < 3; ++day) {
      ManualClock clock(parse_rfc3339("2026-01-02T23:00:00Z").value() + 24h * day);
      auto log = Log::open(folder(), "io", clock);
      ASSERT_TRUE(log) << log.error().message;
      for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(log->append({.actor = "mia",
                                 .action = "setpoint.write",
                                 .target = "heating",
                                 .reason = "Frost \"tonight\", 3 °C",
                                 .correlation_id = "0190a5e2",
                                 .details = {{"value", std::to_string(10 * day + i)}}}));
      ASSERT_TRUE(log->sign_head());
    }
    files_ = load();
    ASSERT_EQ(files_.logs.size(), 3U);
    ASSERT_TRUE(faults(files_).empty());
  }

  RoleFiles load() const {
    RoleFiles files{.role = "io", .logs = {}, .heads = {}};
    const auto logs = list_log_files(folder() / "io").value();
    for (const LogFile& log : logs) files.logs.push_back({log.path.string(), read_file(log.path).value()});
    files.heads.push_back({"heads.jsonl", read_file(folder() / "io" / kHeadsName).value()});
    return files;
  }
  static std::vector<Fault> faults(const RoleFiles& files) { return check(files, "").faults; }
  static bool finds(const RoleFiles& files, const std::string& kind, const std::string& file, std::uint64_t line) {
    for (const Fault& fault : faults(files))
      if (fault.kind == kind && fault.file == file && fault.line == line) return true;
    return false;
  }
  std::filesystem::path folder() const { return scratch_.path() / "audit"; }
  static std::string without_line(const std::string& text, std::size_t index) {
    std::string_view rest;
    std::string kept;
    const auto lines = split_lines(text, rest);
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (i != index) kept += std::string(lines[i]) + "\n";
    return kept;
  }

  historian::ScratchFolder scratch_;
  RoleFiles files_;
};

TEST_F(VerifyTest, finds_every_changed_byte) {
  for (std::size_t file = 0; file < files_.logs.size(); ++file)
    for (std::size_t at = 0; at < files_.logs[file].bytes.size(); ++at)
      for (const int change : {1, 0x80}) {
        RoleFiles changed = files_;
        changed.logs[file].bytes[at] = static_cast<char>(changed.logs[file].bytes[at] ^ change);
        ASSERT_FALSE(faults(changed).empty()) << file << ":" << at << " ^ " << change;
      }
}

TEST_F(VerifyTest, finds_every_byte_that_was_added_or_taken_away) {
  for (std::size_t file = 0; file < files_.logs.size(); ++file)
    for (std::size_t at = 0; at < files_.logs[file].bytes.size(); ++at) {
      RoleFiles changed = files_;
      changed.logs[file].bytes.erase(at, 1);
      ASSERT_FALSE(faults(changed).empty()) << file << ":" << at;
      for (const char added : {'\n', ' ', '0'}) {
        changed = files_;
        changed.logs[file].bytes.insert(at, 1, added);
        ASSERT_FALSE(faults(changed).empty()) << file << ":" << at << " + " << static_cast<int>(added);
      }
    }
}

TEST_F(VerifyTest, finds_every_cut) {
  for (std::size_t file = 0; file < files_.logs.size(); ++file)
    for (std::size_t size = 0; size < files_.logs[file].bytes.size(); ++size) {
      RoleFiles changed = files_;
      changed.logs[file].bytes.resize(size);
      ASSERT_FALSE(faults(changed).empty()) << "one file cut: " << file << ":" << size;
      changed.logs.resize(file + 1);
      ASSERT_FALSE(faults(changed).empty()) << "everything after it is gone: " << file << ":" << size;
    }
}

TEST_F(VerifyTest, finds_every_changed_byte_of_a_head) {
  for (std::size_t at = 0; at < files_.heads[0].bytes.size(); ++at) {
    RoleFiles changed = files_;
    changed.heads[0].bytes[at] = static_cast<char>(changed.heads[0].bytes[at] ^ 1);
    ASSERT_FALSE(faults(changed).empty()) << at;
  }
}

TEST_F(VerifyTest, says_which_line_and_what_happened_to_it) {
  RoleFiles changed = files_;
  changed.logs[1].bytes[changed.logs[1].bytes.find("heating")] = 'H';
  EXPECT_TRUE(finds(changed, "changed", files_.logs[1].name, 1));
  EXPECT_EQ(faults(changed).size(), 1U) << "and nothing else";

  changed = files_;
  changed.logs[1].bytes = without_line(files_.logs[1].bytes, 0);
  EXPECT_TRUE(finds(changed, "missing", files_.logs[1].name, 1));

  changed = files_;
  changed.logs.erase(changed.logs.begin() + 1);
  EXPECT_TRUE(finds(changed, "missing", files_.logs[2].name, 1)) << "a day";

  changed = files_;
  changed.logs.erase(changed.logs.begin());
  EXPECT_TRUE(finds(changed, "missing", files_.logs[1].name, 1)) << "the first day";

  changed = files_;
  changed.logs.pop_back();
  EXPECT_TRUE(finds(changed, "cut", files_.logs[1].name, 0)) << "the last day: the head knows of it";

  changed = files_;
  changed.logs.clear();
  EXPECT_FALSE(faults(changed).empty()) << "all of it";

  changed = files_;
  const std::string& two = files_.logs[0].bytes;
  const std::size_t middle = two.find('\n') + 1;
  changed.logs[0].bytes = two.substr(middle) + two.substr(0, middle);
  EXPECT_TRUE(finds(changed, "reordered", files_.logs[0].name, 1));

  changed = files_;
  changed.logs[0].bytes = two + two.substr(middle);
  EXPECT_TRUE(finds(changed, "inserted", files_.logs[0].name, 3)) << "a copy";

  changed = files_;
  changed.logs[0].bytes.insert(middle, "nothing of ours\n");
  EXPECT_TRUE(finds(changed, "inserted", files_.logs[0].name, 2));
  changed = files_;
  changed.logs[2].bytes.pop_back();
  EXPECT_TRUE(finds(changed, "cut", files_.logs[2].name, 2));
}

// Whoever can write files can compute hashes as well; the signatures are what they cannot make.
TEST_F(VerifyTest, finds_a_chain_that_was_computed_again) {
  RoleFiles forged = files_;
  std::string previous = first_link("io");
  for (RoleFiles::File& file : forged.logs) {
    std::string_view rest;
    std::string text;
    for (const std::string_view bytes : split_lines(file.bytes, rest)) {
      Line line = decode(bytes).value();
      line.entry.actor = "nobody";
      line.previous = previous;
      text += encode(line);
      previous = line.hash;
    }
    file.bytes = text;
  }
  const auto found = faults(forged);
  ASSERT_EQ(found.size(), 4U) << "the head of the first line, and one a day";
  for (const Fault& fault : found) EXPECT_EQ(fault.kind, "head");

  // With heads of their own key: only who knows the key sees it, or who has the old heads.
  forged.heads.clear();
  EXPECT_FALSE(faults(forged).empty()) << "no head at all";
  const historian::ScratchFolder elsewhere;
  auto key = SigningKey::find_or_make(elsewhere.path());
  ASSERT_TRUE(key);
  Head head{.role = "io", .file = "audit-2026-01-04.jsonl", .hash = previous, .sequence = 6, .count = 2};
  forged.heads.push_back({"heads.jsonl", encode(head, *key)});
  EXPECT_TRUE(faults(forged).empty());
  const std::string ours = read_public_key(folder() / "key.pub").value();
  EXPECT_FALSE(check(forged, ours).faults.empty());
  forged.heads.insert(forged.heads.begin(), files_.heads[0]);
  EXPECT_FALSE(faults(forged).empty());
}

TEST_F(VerifyTest, a_log_cannot_stand_in_for_another_role) {
  RoleFiles other = files_;
  other.role = "coredinator";
  other.heads.clear();
  EXPECT_FALSE(faults(other).empty());
}

TEST_F(VerifyTest, heads_that_left_the_host_find_what_was_removed_with_its_heads) {
  const auto away = scratch_.path() / "away";
  ASSERT_TRUE(export_heads(folder(), away));
  EXPECT_TRUE(verify(folder(), away, "").value()[0].faults.empty());
  // The last day goes, and every local trace of it.
  std::filesystem::remove(files_.logs[2].name);
  const std::string heads = read_file(folder() / "io" / kHeadsName).value();
  const std::string shorter = heads.substr(0, heads.rfind('\n', heads.size() - 2) + 1);
  ASSERT_TRUE(write_file(folder() / "io" / kHeadsName, shorter));
  EXPECT_TRUE(verify(folder(), {}, "").value()[0].faults.empty());
  const auto report = verify(folder(), away, "").value()[0];
  ASSERT_FALSE(report.faults.empty());
  EXPECT_EQ(report.faults[0].kind, "cut");
  // Nor does the export forget: what is there is never replaced.
  const auto refused = export_heads(folder(), away);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::mismatch);
  EXPECT_EQ(read_file(away / "io.heads.jsonl").value(), heads);
  // All of the role goes.
  std::filesystem::remove_all(folder() / "io");
  EXPECT_FALSE(verify(folder(), away, "").value()[0].faults.empty());
}

// Three years later the first two days go.
class ExpiredTest : public VerifyTest {
 protected:
  void SetUp() override {
    VerifyTest::SetUp();
    auto log = Log::open(folder(), "io", clock_);
    ASSERT_TRUE(log);
    const auto gone = log->remove_before(parse_rfc3339("2026-01-04T12:00:00Z").value());
    ASSERT_TRUE(gone) << gone.error().message;
    ASSERT_EQ(*gone, 2U);
    was_ = files_;
    files_ = load();
  }
  ManualClock clock_{parse_rfc3339("2029-01-02T23:00:00Z").value()};
  RoleFiles was_;
};

TEST_F(ExpiredTest, the_log_holds_from_where_it_begins_and_says_so) {
  ASSERT_EQ(files_.logs.size(), 2U);
  const RoleReport report = check(files_, "");
  EXPECT_TRUE(report.faults.empty()) << report.faults[0].what;
  EXPECT_EQ(report.starts_at, 5U);
  EXPECT_EQ(report.lines, 3U);
  EXPECT_EQ(report.first_time, "2026-01-04T23:00:00Z");
  EXPECT_EQ(report.last_signed, 7U);
}

TEST_F(ExpiredTest, whatever_else_goes_is_still_found) {
  // Every byte of what stays.
  for (std::size_t file = 0; file < files_.logs.size(); ++file)
    for (std::size_t at = 0; at < files_.logs[file].bytes.size(); ++at) {
      RoleFiles changed = files_;
      changed.logs[file].bytes[at] = static_cast<char>(changed.logs[file].bytes[at] ^ 1);
      ASSERT_FALSE(faults(changed).empty()) << file << " " << at;
    }
  // A line more than was said.
  RoleFiles more = files_;
  more.logs[0].bytes = without_line(more.logs[0].bytes, 0);
  EXPECT_TRUE(finds(more, "missing", more.logs[0].name, 1));
  // The entry that said it.
  RoleFiles unsaid = files_;
  unsaid.logs.pop_back();
  EXPECT_FALSE(faults(unsaid).empty());
  // What a head outside knows of the line before the first.
  RoleFiles other = files_;
  other.heads.push_back({"elsewhere", was_.heads[0].bytes});
  EXPECT_TRUE(faults(other).empty());
}

TEST_F(ExpiredTest, a_crash_while_they_go_is_no_fault) {
  RoleFiles all = files_, half = files_;
  all.logs.insert(all.logs.begin(), was_.logs.begin(), was_.logs.begin() + 2);
  half.logs.insert(half.logs.begin(), was_.logs[1]);
  EXPECT_TRUE(faults(half).empty());
  EXPECT_EQ(check(half, "").starts_at, 5U);
  EXPECT_TRUE(faults(all).empty());
  EXPECT_EQ(check(all, "").starts_at, 1U);
  all.logs[0].bytes[30] = static_cast<char>(all.logs[0].bytes[30] ^ 1);
  EXPECT_FALSE(faults(all).empty()) << "as long as it is all there it is all checked";
}

TEST_F(ExpiredTest, the_log_goes_on_and_more_of_it_goes_later) {
  clock_.advance(24h * 400);
  {
    auto log = Log::open(folder(), "io", clock_);
    ASSERT_TRUE(log->append({.actor = "mia", .action = "setpoint.write"}));
    EXPECT_EQ(log->remove_before(clock_.now()).value(), 2U) << "its own day stays";
    EXPECT_EQ(log->remove_before(clock_.now() + 24h * 10).value(), 0U);
    ASSERT_TRUE(log->append({.actor = "mia", .action = "setpoint.write"}));
    ASSERT_TRUE(log->sign_head());
  }
  const RoleReport report = check(load(), "");
  EXPECT_TRUE(report.faults.empty()) << report.faults[0].what;
  EXPECT_EQ(report.starts_at, 8U);
  EXPECT_EQ(report.last_signed, 10U);
}

TEST_F(ExpiredTest, what_nobody_writes_is_seen_to_by_another) {
  auto mine = Log::open(folder(), "coredinator", clock_);
  ASSERT_TRUE(mine->append({.actor = "coredinator", .action = "role.start"}));
  EXPECT_EQ(remove_before(folder(), "coredinator", clock_.now(), clock_), 1U);
  EXPECT_TRUE(faults(load()).empty());
  auto held = Log::open(folder(), "io", clock_);
  clock_.advance(24h * 400);
  ASSERT_TRUE(held->append({.actor = "mia", .action = "setpoint.write"}));
  EXPECT_EQ(remove_before(folder(), "coredinator", clock_.now(), clock_), 0U) << "its writer has it";
}

TEST_F(VerifyTest, the_export_goes_on_where_it_was) {
  const auto away = scratch_.path() / "away";
  ASSERT_TRUE(export_heads(folder(), away));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(append_once(folder(), "io", {.actor = "mia", .action = "data.read"}));
    if (i % 7 == 0) {
      ASSERT_TRUE(export_heads(folder(), away));
    }
  }
  ASSERT_TRUE(export_heads(folder(), away));
  EXPECT_EQ(read_file(away / "io.heads.jsonl").value(), read_file(folder() / "io" / kHeadsName).value());
  EXPECT_EQ(read_file(away / "key.pub").value(), read_file(folder() / "key.pub").value());
}

}  // namespace
}  // namespace rltune::audit
