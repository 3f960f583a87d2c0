#include "rltune/historian/decision_log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <bit>
#include <fstream>
#include <limits>
#include <thread>

#include "decision_codec.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/random.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "rltune/vault/vault.hpp"
#include "scratch_folder.hpp"
#include "victim.hpp"
#include "wal_bytes.hpp"

namespace rltune::historian {
namespace {

using namespace std::chrono_literals;

TimePoint at(const char* text) { return parse_rfc3339(text).value(); }
const TimePoint kBegin = TimePoint::min(), kEnd = TimePoint::max();

Decision make_decision(TimePoint time, std::uint64_t number) {
  Decision decision;
  decision.id = make_id(time);
  decision.agent = "climate";
  decision.correlation_id = std::format("c{}", number);
  decision.policy_sha256 = std::string(64, 'a');
  decision.origin = "policy";
  decision.user = number % 3 == 0 ? "anna" : "";
  decision.reason = number % 3 == 0 ? "the vents make a noise" : "";
  decision.mode = 3;
  decision.time = time;
  decision.wall_time = time + 5ms;
  decision.observation = {1.5F, -0.0F, std::numeric_limits<float>::quiet_NaN(), static_cast<float>(number)};
  decision.previous_inputs = {0.1, 1e300};
  decision.network_output = {0.25F};
  decision.recurrent_state = {0.5F, -0.125F, std::numeric_limits<float>::denorm_min()};
  decision.outputs = {{"heating", 10.0, true, 9.5, 1, 6, true, true},
                      {"vents", std::numeric_limits<double>::infinity(), false, 0.5, 4, 2048, false, false}};
  if (number % 3 == 0) decision.outputs[0].explored = 0.1 * static_cast<double>(number + 1);
  decision.seen = {{"temperature", 21.5}, {"heating", std::numeric_limits<double>::quiet_NaN()}};
  decision.learnable = number % 2 == 0;
  decision.sample_to_proposal = 1us;
  decision.proposal = 2us;
  decision.verdict = 3us;
  decision.sample_to_write = 4us;
  decision.write_acknowledged = 5us;
  return decision;
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

void expect_same(const Decision& a, const Decision& b) {
  EXPECT_EQ(std::tie(a.id, a.agent, a.correlation_id, a.policy_sha256, a.origin, a.user, a.reason, a.mode, a.time,
                     a.wall_time),
            std::tie(b.id, b.agent, b.correlation_id, b.policy_sha256, b.origin, b.user, b.reason, b.mode, b.time,
                     b.wall_time));
  EXPECT_EQ(bytes_of(a.observation), bytes_of(b.observation));
  EXPECT_EQ(bytes_of(a.previous_inputs), bytes_of(b.previous_inputs));
  EXPECT_EQ(bytes_of(a.network_output), bytes_of(b.network_output));
  EXPECT_EQ(bytes_of(a.recurrent_state), bytes_of(b.recurrent_state));
  EXPECT_EQ(std::tie(a.sample_to_proposal, a.proposal, a.verdict, a.sample_to_write, a.write_acknowledged),
            std::tie(b.sample_to_proposal, b.proposal, b.verdict, b.sample_to_write, b.write_acknowledged));
  EXPECT_EQ(a.learnable, b.learnable);
  ASSERT_EQ(a.seen.size(), b.seen.size());
  for (std::size_t i = 0; i < a.seen.size(); ++i) {
    EXPECT_EQ(a.seen[i].tag, b.seen[i].tag);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a.seen[i].value), std::bit_cast<std::uint64_t>(b.seen[i].value));
  }
  ASSERT_EQ(a.outputs.size(), b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    const DecisionOutput &x = a.outputs[i], &y = b.outputs[i];
    EXPECT_EQ(
        std::tie(x.tag, x.proposed, x.present, x.applied, x.action, x.reasons, x.written, x.verified, x.explored),
        std::tie(y.tag, y.proposed, y.present, y.applied, y.action, y.reasons, y.written, y.verified, y.explored));
  }
}

std::vector<Decision> write_some(const std::filesystem::path& folder, TimePoint start, Duration step,
                                 std::size_t count) {
  auto log = DecisionLog::open(folder);
  EXPECT_TRUE(log);
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < count; ++i) {
    decisions.push_back(make_decision(start + step * static_cast<std::int64_t>(i), i));
    EXPECT_TRUE(log->append(decisions.back()));
  }
  const auto flushed = log->flush();
  EXPECT_TRUE(flushed) << flushed.error().message;
  return decisions;
}

TEST(DecisionLog, what_was_flushed_comes_back_bit_for_bit) {
  const ScratchFolder scratch;
  auto decisions = write_some(scratch.path(), at("2026-01-02T03:00:00Z"), 1s, 20);
  const auto read = read_decisions(scratch.path(), kBegin, kEnd, 100);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), decisions.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) expect_same(decisions[i], (*read)[i]);
  expect_same(find_decision(scratch.path(), decisions[7].id).value(), decisions[7]);
}

TEST(DecisionLog, who_wrote_by_hand_and_why_is_kept_encrypted_where_the_site_asks_for_it) {
  const ScratchFolder scratch;
  const auto key = scratch.path() / "keys" / "north", folder = scratch.path() / "data" / "decisions";
  ASSERT_TRUE(vault::Key::make_file(key));
  ASSERT_TRUE(vault::declare(scratch.path() / "data", {.encrypted = true, .key_file = key}));
  const auto decisions = write_some(folder, at("2026-01-02T03:00:00Z"), 1s, 20);
  const auto file = folder / "decisions-2026-01-02.db";
  std::string bytes;
  for (const char* suffix : {"", "-wal"}) bytes += read_file(file.string() + suffix).value_or("");
  EXPECT_EQ(bytes.find("anna"), std::string::npos);
  EXPECT_EQ(bytes.find("the vents"), std::string::npos);
  EXPECT_NE(bytes.find("encrypted:v1:"), std::string::npos);
  const auto read = read_decisions(folder, kBegin, kEnd, 100);
  ASSERT_TRUE(read) << read.error().message;
  for (std::size_t i = 0; i < decisions.size(); ++i) expect_same(decisions[i], (*read)[i]);

  // What else a decision holds can be read without the key, and its seal still tells damage.
  std::filesystem::remove(key);
  const auto locked = read_decisions(folder, kBegin, kEnd, 100);
  ASSERT_TRUE(locked) << locked.error().message;
  EXPECT_TRUE((*locked)[0].user.starts_with("encrypted (key ")) << (*locked)[0].user;
  EXPECT_EQ((*locked)[1].user, "");
  EXPECT_EQ(bytes_of((*locked)[0].observation), bytes_of(decisions[0].observation));
  write_some(folder, at("2026-01-03T03:00:00Z"), 1s, 1);
  EXPECT_EQ(read_decisions(folder, at("2026-01-03"), kEnd, 1).value()[0].user, vault::kWithheld);
}

TEST(DecisionLog, one_file_a_day) {
  const ScratchFolder scratch;
  write_some(scratch.path(), at("2026-01-02T22:00:00Z"), 1h, 30);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "decisions-2026-01-02.db"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "decisions-2026-01-03.db"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "decisions-2026-01-04.db"));
  std::filesystem::remove(scratch.path() / "decisions-2026-01-03.db");
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 100)->size(), 6U);
}

TEST(DecisionLog, ranges_are_half_open_and_pages_follow_one_another) {
  const ScratchFolder scratch;
  const auto decisions = write_some(scratch.path(), at("2026-01-02T12:00:00Z"), 1h, 50);
  EXPECT_EQ(read_decisions(scratch.path(), decisions[5].time, decisions[9].time, 100)->size(), 4U);
  std::vector<std::string> ids;
  std::string after;
  while (true) {
    const auto page = read_decisions(scratch.path(), kBegin, kEnd, 7, after);
    ASSERT_TRUE(page) << page.error().message;
    for (const Decision& decision : *page) ids.push_back(decision.id);
    if (page->size() < 7) break;
    after = ids.back();
  }
  ASSERT_EQ(ids.size(), decisions.size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], decisions[i].id);
}

TEST(DecisionLog, decisions_of_the_same_instant_are_all_kept_and_paged) {
  const ScratchFolder scratch;
  write_some(scratch.path(), at("2026-01-02T12:00:00Z"), 0s, 20);
  const auto first = read_decisions(scratch.path(), kBegin, kEnd, 15);
  ASSERT_EQ(first->size(), 15U);
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 15, first->back().id)->size(), 5U);
}

TEST(DecisionLog, ids_that_are_no_uuid_work_as_well) {
  const ScratchFolder scratch;
  Decision decision = make_decision(at("2026-01-02T12:00:00Z"), 1);
  decision.id = "sixteen-letters!";
  {
    auto log = DecisionLog::open(scratch.path());
    ASSERT_TRUE(log->append(decision) && log->flush());
  }
  expect_same(find_decision(scratch.path(), decision.id).value(), decision);
}

TEST(DecisionLog, full_queue_refuses) {
  const ScratchFolder scratch;
  DecisionLogOptions options;
  options.queue_max = 3;
  auto log = DecisionLog::open(scratch.path(), options);
  ASSERT_TRUE(log);
  std::filesystem::remove_all(scratch.path());  // nothing can be stored any more
  std::ofstream(scratch.path()) << "a file where the folder was";
  int accepted = 0;
  for (int i = 0; i < 10; ++i) accepted += log->append(make_decision(at("2026-01-02T12:00:00Z"), 1)) ? 1 : 0;
  EXPECT_EQ(accepted, 3);
  const auto flushed = log->flush();
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("decisions-2026-01-02.db"), std::string::npos);
  EXPECT_FALSE(log->status().trouble.empty());
  EXPECT_EQ(log->status().waiting, 3U);
  // The trouble ends: what waited is stored.
  std::filesystem::remove(scratch.path());
  std::filesystem::create_directories(scratch.path());
  EXPECT_TRUE(log->flush());
  EXPECT_TRUE(log->status().trouble.empty());
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 100)->size(), 3U);
}

TEST(DecisionLog, missing_folder_and_id_are_named) {
  const ScratchFolder scratch;
  EXPECT_EQ(read_decisions(scratch.path() / "nowhere", kBegin, kEnd, 1).error().code, Errc::not_found);
  EXPECT_EQ(find_decision(scratch.path(), "x").error().code, Errc::not_found);
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 1, "x").error().code, Errc::not_found);
}

TEST(DecisionLog, file_that_is_no_database_is_named) {
  const ScratchFolder scratch;
  ASSERT_TRUE(write_file(scratch.path() / "decisions-2026-01-02.db", std::string(5000, 'x')));
  const auto read = read_decisions(scratch.path(), kBegin, kEnd, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::corrupt);
  EXPECT_NE(read.error().message.find("decisions-2026-01-02.db"), std::string::npos);
}

TEST(DecisionLog, changed_record_is_found_out) {
  const ScratchFolder scratch;
  const auto decisions = write_some(scratch.path(), at("2026-01-02T12:00:00Z"), 1s, 3);
  const auto file = scratch.path() / "decisions-2026-01-02.db";
  for (const char* change :
       {"UPDATE decision SET mode = 0 WHERE seq = 2", "UPDATE decision SET mode = 3, time = time + 1 WHERE seq = 2",
        "UPDATE decision SET time = time - 1, body = x'01' WHERE seq = 2"}) {
    sqlite::open_writer(file, 1 << 20)->exec(change);
    const auto read = read_decisions(scratch.path(), kBegin, kEnd, 10);
    ASSERT_FALSE(read) << change;
    EXPECT_EQ(read.error().code, Errc::corrupt);
    EXPECT_NE(read.error().message.find(decisions[1].id), std::string::npos) << read.error().message;
  }
  EXPECT_TRUE(find_decision(scratch.path(), decisions[0].id));
}

TEST(DecisionLog, a_damaged_day_is_put_aside_and_goes_on) {
  const ScratchFolder scratch;
  write_some(scratch.path(), at("2026-01-01T12:00:00Z"), 1s, 5);
  write_some(scratch.path(), at("2026-01-02T12:00:00Z"), 1s, 200);
  const auto file = scratch.path() / "decisions-2026-01-02.db";
  for (const std::size_t from : {std::size_t{0}, std::size_t{4096}}) {
    std::string bytes = read_file(file).value();
    std::ranges::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), 'x');
    ASSERT_TRUE(write_file(file, bytes));
    // Who learns takes what is whole; who asks for all is told.
    EXPECT_EQ(newest_decisions(scratch.path(), TimePoint{}, 1000)->size(), 5U);
    EXPECT_FALSE(read_decisions(scratch.path(), kBegin, kEnd, 1000));
    write_some(scratch.path(), at("2026-01-02T13:00:00Z"), 1s, 200);
    const auto read = read_decisions(scratch.path(), kBegin, kEnd, 1000);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->size(), 205U);
  }
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    kept += entry.path().filename().string().starts_with("decisions-2026-01-02.db.damaged-") ? 1U : 0U;
  EXPECT_EQ(kept, 2U);
}

TEST(DecisionLog, damaged_pages_give_an_error_never_a_wrong_decision) {
  const ScratchFolder scratch;
  const auto decisions = write_some(scratch.path(), at("2026-01-02T12:00:00Z"), 1s, 40);
  const auto file = scratch.path() / "decisions-2026-01-02.db";
  const std::string whole = read_file(file).value();
  Random random(8);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 8; ++i) damaged[random.below(damaged.size())] = static_cast<char>(random.bits());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
    const auto read = read_decisions(scratch.path(), kBegin, kEnd, 100);
    if (!read) continue;
    for (const Decision& decision : *read) {
      const auto original = std::ranges::find(decisions, decision.id, &Decision::id);
      if (original != decisions.end()) expect_same(*original, decision);
    }
  }
}

// A plant's own clock may begin its year again: what counts is when it was decided.
TEST(DecisionLog, the_newest_come_in_the_order_in_which_they_were_made) {
  const ScratchFolder scratch;
  std::vector<Decision> made;
  {
    auto log = DecisionLog::open(scratch.path());
    ASSERT_TRUE(log);
    for (std::uint64_t i = 0; i < 90; ++i) {
      const auto day = i < 60 ? i / 20 : i % 3;  // three days in a row, then the same again, mixed
      made.push_back(make_decision(at("2026-01-02T03:00:00Z") + day * 24h + i * 1s, i));
      made.back().wall_time = std::chrono::system_clock::now() + i * 1ms;
      ASSERT_TRUE(log->append(made.back()));
    }
    ASSERT_TRUE(log->flush());
  }
  const auto ids = [](std::span<const Decision> decisions) {
    std::vector<std::string> listed;
    for (const Decision& decision : decisions) listed.push_back(decision.id);
    return listed;
  };
  const auto all = newest_decisions(scratch.path(), TimePoint{}, 1000);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(ids(*all), ids(made));
  expect_same((*all)[70], made[70]);
  EXPECT_EQ(ids(*newest_decisions(scratch.path(), made[40].wall_time, 1000)), ids(std::span(made).subspan(41)));
  EXPECT_EQ(ids(*newest_decisions(scratch.path(), TimePoint{}, 25)), ids(std::span(made).subspan(65)));
  EXPECT_TRUE(newest_decisions(scratch.path(), made.back().wall_time, 1000)->empty());
  EXPECT_EQ(newest_decisions(scratch.path() / "nowhere", TimePoint{}, 1).error().code, Errc::not_found);
}

constexpr std::array kNames{"heating", "vents", "temperature"};
std::uint32_t number_of(const std::string& name) {
  return static_cast<std::uint32_t>(std::ranges::find(kNames, name) - kNames.begin());
}
std::optional<std::string> name_of(std::uint32_t number) {
  return number < kNames.size() ? std::optional<std::string>(kNames[number]) : std::nullopt;
}

TEST(DecisionLog, a_body_of_version_1_still_reads) {
  const Decision decision = make_decision(at("2026-01-02T12:00:00Z"), 0);
  Decision old = decision;
  old.seen.clear();
  old.learnable = false;
  old.outputs[0].explored = 0.0;
  old.reason.clear();
  old.recurrent_state.clear();
  // The reason, and what stands between the outputs and the seal, came with version 2, the recurrent state with 3.
  std::string body = encode_body(old, number_of);
  body = body.substr(0, body.size() - 8 - 4 - 3 - 4);
  body.erase(1 + 2 + old.correlation_id.size() + 2 + old.user.size(), 2);
  body[0] = 1;
  body += seal_of(old, body);
  Decision read = old;
  read.outputs.clear();
  read.observation.clear();
  const auto done = decode_body(body, name_of, read);
  ASSERT_TRUE(done) << done.error().message;
  expect_same(read, old);
}

TEST(DecisionLog, a_body_of_version_2_still_reads) {
  Decision old = make_decision(at("2026-01-02T12:00:00Z"), 1);
  old.recurrent_state.clear();
  std::string body = encode_body(old, number_of);
  body = body.substr(0, body.size() - 8 - 4);
  body[0] = 2;
  body += seal_of(old, body);
  Decision read = old;
  read.outputs.clear();
  read.observation.clear();
  const auto done = decode_body(body, name_of, read);
  ASSERT_TRUE(done) << done.error().message;
  expect_same(read, old);
}

TEST(DecisionLog, every_damaged_byte_of_a_body_is_found_out) {
  const Decision decision = make_decision(at("2026-01-02T12:00:00Z"), 1);
  const std::string body = encode_body(decision, number_of);
  const auto decode = [&](std::string_view bytes) {
    Decision columns = decision;
    columns.observation.clear();
    columns.outputs.clear();
    return decode_body(bytes, name_of, columns);
  };
  EXPECT_TRUE(decode(body));
  for (std::size_t i = 0; i < body.size(); ++i) {
    EXPECT_FALSE(decode(std::string_view(body).substr(0, i)));
    std::string damaged = body;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(decode(damaged)) << "byte " << i;
  }
  EXPECT_FALSE(decode(body + "x"));
}

TEST(DecisionLog, reader_that_holds_on_does_not_let_the_log_grow) {
  const ScratchFolder scratch;
  DecisionLogOptions options;
  options.wal_bytes_max = 256U << 10U;
  write_some(scratch.path(), at("2026-01-02T00:00:00Z"), 1s, 1);
  const auto reader = sqlite::open_reader(scratch.path() / "decisions-2026-01-02.db");
  reader->exec("BEGIN");
  reader->execAndGet("SELECT count(*) FROM decision");  // pins this state
  auto log = DecisionLog::open(scratch.path(), options);
  std::uint64_t largest = 0;
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 100; ++k)
      ASSERT_TRUE(log->append(make_decision(at("2026-01-02T01:00:00Z") + 1s * (100 * i + k), 1)));
    ASSERT_TRUE(log->flush());
    largest = std::max(largest, all_wal_bytes(scratch.path()));
  }
  // Two logs at their bound, and one group of commits above it.
  EXPECT_LT(largest, 3 * options.wal_bytes_max);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "decisions-2026-01-02.2.db"));
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 10'000)->size(), 4001U);
}

TEST(DecisionLog, kill_loses_nothing_that_was_flushed) {
  Random random(4);
  for (int round = 0; round < 12; ++round) {
    const ScratchFolder scratch;
    Victim victim([&](const Victim::Report& report) {
      auto log = DecisionLog::open(scratch.path());
      for (std::uint64_t number = 1;; ++number) {
        Decision decision = make_decision(at("2026-01-02T12:00:00Z") + 1s * static_cast<std::int64_t>(number), number);
        if (!log->append(std::move(decision))) ::_exit(3);
        if (number % 3 == 0) {
          if (!log->flush()) ::_exit(4);
          report(number);
        }
      }
    });
    victim.kill_after(std::chrono::microseconds(5'000 + random.below(60'000)));
    const std::uint64_t acknowledged = victim.last_report();
    const auto read = read_decisions(scratch.path(), kBegin, kEnd, 1'000'000);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_GE(read->size(), acknowledged);
    for (std::size_t i = 0; i < read->size(); ++i) ASSERT_EQ((*read)[i].correlation_id, std::format("c{}", i + 1));
    // And the log goes on.
    write_some(scratch.path(), at("2026-01-02T23:00:00Z"), 1s, 1);
    EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 1'000'000)->size(), read->size() + 1);
  }
}

TEST(DecisionLog, full_disk_is_reported_and_survived) {
  const ScratchFolder scratch;
  Victim child([&](const Victim::Report& report) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{256U << 10U, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);  // a file system that has no more room, for this process
    auto log = DecisionLog::open(scratch.path());
    std::uint64_t number = 0, flushed = 0;
    for (; number < 5000; ++number) {
      if (!log->append(make_decision(at("2026-01-02T12:00:00Z") + 1s * static_cast<std::int64_t>(number), number)))
        ::_exit(3);
      if (number % 50 != 49) continue;
      const auto done = log->flush();
      if (done) {
        flushed = number + 1;
        continue;
      }
      if (done.error().code != Errc::no_space || !log->status().trouble.starts_with("disk full since")) ::_exit(4);
      if (log->status().circuit.state == Breaker::State::closed) ::_exit(7);
      break;
    }
    if (flushed == 0 || number == 5000) ::_exit(5);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (!log->flush() || !log->status().trouble.empty()) ::_exit(6);
    if (log->status().circuit.state != Breaker::State::closed) ::_exit(8);
    report(number + 1);
  });
  ASSERT_EQ(child.join(), 0);
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 10'000)->size(), child.last_report());
}

// Makes a file as old as if its last record was written then.
void age_file(const std::filesystem::path& path, TimePoint written) {
  std::filesystem::last_write_time(path, std::chrono::time_point_cast<std::filesystem::file_time_type::duration>(
                                             std::chrono::file_clock::from_sys(written)));
}

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

TEST(DecisionLog, files_go_by_when_they_were_written_and_never_the_newest) {
  const ScratchFolder scratch;
  {
    auto log = DecisionLog::open(scratch.path());
    ASSERT_TRUE(log);
    // A plant's own clock: its days say nothing about when they were recorded.
    for (const char* day : {"2020-01-01T12:00:00Z", "2020-01-02T12:00:00Z", "2020-01-03T12:00:00Z"})
      ASSERT_TRUE(log->append(make_decision(at(day), 1)));
    ASSERT_TRUE(log->flush());
  }
  const TimePoint now = at("2026-11-21T12:00:00Z");
  age_file(scratch.path() / "decisions-2020-01-01.db", now - 5 * 24h);
  age_file(scratch.path() / "decisions-2020-01-02.db", now - 1h);
  age_file(scratch.path() / "decisions-2020-01-03.db", now - 5 * 24h);
  EXPECT_EQ(remove_decisions(scratch.path(), now - 6 * 24h).value(), 0U);
  EXPECT_EQ(remove_decisions(scratch.path(), now - 4 * 24h, scratch.path() / "decisions-2020-01-01.db").value(), 0U);
  EXPECT_EQ(remove_decisions(scratch.path(), now - 4 * 24h).value(), 1U);
  EXPECT_EQ(files_in(scratch.path()), (std::vector<std::string>{"decisions-2020-01-02.db", "decisions-2020-01-03.db"}));
  EXPECT_EQ(remove_decisions(scratch.path(), now).value(), 1U) << "the newest stays";
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 10)->size(), 1U);
}

// A backup that reads a day has it to its end.
TEST(DecisionLog, a_file_that_is_read_is_read_to_its_end) {
  const ScratchFolder scratch;
  {
    auto log = DecisionLog::open(scratch.path());
    for (std::uint64_t i = 0; i < 100; ++i)
      ASSERT_TRUE(log->append(make_decision(at("2026-01-01T12:00:00Z") + i * 1s, i)));
    ASSERT_TRUE(log->append(make_decision(at("2026-01-02T12:00:00Z"), 1)));
    ASSERT_TRUE(log->flush());
  }
  const auto reader = sqlite::open_reader(scratch.path() / "decisions-2026-01-01.db");
  SQLite::Statement statement(*reader, "SELECT count(*) FROM decision");
  ASSERT_TRUE(statement.executeStep());
  statement.reset();
  EXPECT_EQ(remove_decisions(scratch.path(), TimePoint::max()).value(), 1U);
  ASSERT_TRUE(statement.executeStep());
  EXPECT_EQ(statement.getColumn(0).getInt(), 100);
}

TEST(DecisionLog, what_is_kept_for_how_long_changes_as_it_runs) {
  const ScratchFolder scratch;
  std::atomic<int> days = 400;
  auto log = DecisionLog::open(
      scratch.path(), {.keeping = {.age = [&] { return Duration(std::chrono::days(days.load())); }, .every = 5ms}});
  ASSERT_TRUE(log);
  for (const char* day : {"2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z"})
    ASSERT_TRUE(log->append(make_decision(at(day), 1)));
  ASSERT_TRUE(log->flush());
  age_file(scratch.path() / "decisions-2026-01-01.db", std::chrono::system_clock::now() - 30 * 24h);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(log->status().removed, 0U);
  days = 20;
  for (int i = 0; i < 1000 && log->status().removed == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(log->status().removed, 1U);
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "decisions-2026-01-01.db"));
  ASSERT_TRUE(log->append(make_decision(at("2026-01-02T13:00:00Z"), 2)));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(read_decisions(scratch.path(), kBegin, kEnd, 10)->size(), 2U);
}

TEST(DecisionLog, storage_says_what_it_takes) {
  const ScratchFolder scratch;
  write_some(scratch.path(), at("2026-01-02T00:00:00Z"), 10s, 1000);
  const auto storage = decision_storage(scratch.path());
  ASSERT_TRUE(storage);
  EXPECT_EQ(storage->files, 1U);
  EXPECT_GT(storage->bytes, 100'000U);
  EXPECT_NEAR(storage->bytes_per_day, static_cast<double>(storage->bytes) * 8.65, static_cast<double>(storage->bytes));
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident * 4096) / (1U << 20U);
}

// 25 MB of decisions, as days of work bring: what SQLite keeps of them in memory is bounded.
TEST(DecisionLog, a_growing_file_takes_no_more_memory) {
  const ScratchFolder scratch;
  auto log = DecisionLog::open(scratch.path());
  ASSERT_TRUE(log);
  TimePoint time = at("2026-01-02T00:00:00Z");
  const auto write_more = [&] {
    for (std::uint64_t number = 0; number < 20'000; ++number) {
      time += 1ms;
      ASSERT_TRUE(log->append(make_decision(time, number)));
      if (number % 500 == 499) {
        ASSERT_TRUE(log->flush());
      }
    }
  };
  write_more();
  const double before = resident_mib();
  write_more();
  EXPECT_LT(resident_mib() - before, 1.0);
}

}  // namespace
}  // namespace rltune::historian
