#include "rltune/telemetry/log_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <fstream>
#include <functional>
#include <thread>

#include "index_store.hpp"
#include "log_matcher.hpp"
#include "rltune/base/random.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "rltune/telemetry/log_entry.hpp"
#include "rltune/telemetry/log_indexer.hpp"
#include "temporary_folder.hpp"

namespace rltune::telemetry {
namespace {

const WallClock kSearchClock;
constexpr std::array<const char*, 4> kServices{"agent", "io", "coredinator", "telemetry"};
constexpr std::array<const char*, 5> kWords{"started", "Pump 7 \\\"main\\\" \\u0007 off", "ümläut", "TIMEOUT",
                                            "line\\nbreak"};

TimePoint second_of(std::uint64_t second) { return TimePoint(std::chrono::seconds(1'756'116'000 + second)); }

// An entry whose fields come from `random`; its timestamp is near, not in, the order of what came.
std::string random_entry(Random& random, std::uint64_t number) {
  const auto time = format_rfc3339(second_of(number + random.below(20)));
  std::string entry = std::format(
      R"({{"timestamp":"{}","service":"{}","level":"{}","message":"{} {}")", time, kServices.at(random.below(4)),
      log::name_of(log::kLevels.at(std::min<std::size_t>(random.below(9), 4))), kWords.at(random.below(5)), number);
  if (random.uniform() < 0.7) entry += std::format(R"(,"correlation_id":"c-{}")", random.below(60));
  if (random.uniform() < 0.5)
    entry += std::format(R"(,"attributes":{{"agent":"Climate {}","pad":"{}"}})", random.below(5),
                         std::string(random.below(2000), 'p'));
  return entry + "}";
}

LogQuery random_query(Random& random, std::uint64_t records) {
  LogQuery query{.limit = 1 + random.below(40), .newest_first = random.uniform() < 0.5};
  if (random.uniform() < 0.4) query.from = second_of(random.below(records));
  if (random.uniform() < 0.4) query.to = second_of(random.below(records));
  if (random.uniform() < 0.3) query.services = {kServices.at(random.below(4)), "nobody"};
  if (random.uniform() < 0.4) query.level_min = log::kLevels.at(random.below(5));
  if (random.uniform() < 0.3) query.correlation_id = std::format("c-{}", random.below(70));
  constexpr std::array<const char*, 7> kTexts{"timeout", "pump 7 \"MAIN\" \a", "ümläut", "climate 3", "E\nb",
                                              "12",      "none of them"};
  if (random.uniform() < 0.4) query.text = kTexts.at(random.below(7));
  return query;
}

std::vector<StoredRecord> everything(RecordReader& records) {
  std::vector<StoredRecord> all;
  for (std::uint64_t from = 1; from <= records.acknowledged();) {
    const auto batch = records.read(from, 1U << 20U);
    all.insert(all.end(), batch->records.begin(), batch->records.end());
    from = batch->next;
  }
  return all;
}
// By reading all of it.
std::vector<std::uint64_t> expected(const std::vector<StoredRecord>& all, const LogQuery& query) {
  const LogMatcher matcher(query);
  std::vector<std::uint64_t> numbers;
  for (const StoredRecord& record : all)
    if (matcher.matches(record.payload)) numbers.push_back(record.sequence);
  if (query.newest_first) std::ranges::reverse(numbers);
  return numbers;
}
// By pages, until there is no more.
std::vector<std::uint64_t> found(LogSearch& search, LogQuery query) {
  std::vector<std::uint64_t> numbers;
  for (int calls = 0; calls < 10'000; ++calls) {
    const auto page = search.find(query);
    EXPECT_TRUE(page);
    EXPECT_LE(page->entries.size(), query.limit);
    for (const StoredRecord& entry : page->entries) numbers.push_back(entry.sequence);
    if (page->is_complete) return numbers;
    EXPECT_NE(page->next, query.next) << "a call that does not get on";
    query.next = page->next;
  }
  ADD_FAILURE() << "no end";
  return numbers;
}

class Search : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kRecords = 3000;
  Search()
      : buffer_(*Buffer::open(*open_folder(folder_.path()), kSearchClock,
                              {.segment_bytes = 200'000, .free_bytes_min = 0})) {
    for (std::uint64_t i = 1; i <= kRecords; i += 10) {
      Payloads payloads = parse_entries_of(i, 10);
      std::vector<std::string_view> views;
      for (std::size_t k = 0; k < payloads.size(); ++k) views.push_back(payloads[k]);
      EXPECT_TRUE(buffer_.commit(views));
    }
  }
  Payloads parse_entries_of(std::uint64_t first, std::uint64_t count) {
    std::string lines;
    for (std::uint64_t i = 0; i < count; ++i) lines += random_entry(random_, first + i) + "\n";
    auto parsed = parse_entries(lines);
    EXPECT_TRUE(parsed.faults.empty());
    return std::move(parsed.payloads);
  }
  std::vector<std::filesystem::path> files(std::string_view prefix) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  }
  bool all_are_indexed() const { return files("index-").size() + 1 == files("segment-").size(); }
  void index_all() {
    const LogIndexer indexer(buffer_.records());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!all_are_indexed() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    ASSERT_TRUE(all_are_indexed());
  }
  void expect_exact(int queries, SearchLimits limits) {
    LogSearch search(buffer_.records(), limits);
    const auto all = everything(buffer_.records());
    for (int i = 0; i < queries; ++i) {
      const LogQuery query = random_query(random_, kRecords);
      ASSERT_EQ(found(search, query), expected(all, query))
          << "text '" << query.text << "' id '" << query.correlation_id << "' newest first " << query.newest_first;
    }
  }

  Random random_{11};
  TemporaryFolder folder_;
  Buffer buffer_;
};

TEST_F(Search, finds_what_reading_everything_finds_with_indexes_and_without) {
  ASSERT_GT(files("segment-").size(), 5U);
  const auto reader = open_to_read(folder_.path());  // which cannot keep an index that it made
  ASSERT_TRUE(reader);
  const auto all = everything(**reader);
  ASSERT_EQ(all.size(), kRecords);
  LogSearch search(**reader);
  for (int i = 0; i < 30; ++i) {
    const LogQuery query = random_query(random_, kRecords);
    ASSERT_EQ(found(search, query), expected(all, query));
  }
  EXPECT_TRUE(files("index-").empty());
  index_all();
  expect_exact(100, {});
  expect_exact(50, {.work_bytes_max = 1000, .page_bytes_max = 3000});
}

TEST_F(Search, an_index_that_is_damaged_or_of_another_segment_changes_nothing_and_is_made_anew) {
  index_all();
  for (int round = 0; round < 8; ++round) {
    const auto indexes = files("index-");
    for (const auto& path : indexes) {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      const auto size = std::filesystem::file_size(path);
      file.seekp(static_cast<std::streamoff>(random_.below(size)));
      file.put(static_cast<char>(random_.below(256)));
    }
    std::filesystem::resize_file(indexes[1], random_.below(std::filesystem::file_size(indexes[1])));
    std::filesystem::copy_file(indexes[2], indexes[3], std::filesystem::copy_options::overwrite_existing);
    expect_exact(5, {});
  }
  LogSearch search(buffer_.records());
  (void)found(search, {.text = "none of them"});
  for (const auto& path : files("index-")) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(decode_index(bytes)) << path;
  }
}

TEST_F(Search, a_segment_that_was_damaged_since_is_searched_as_it_is_read) {
  index_all();
  const auto segment = files("segment-")[2];
  std::ifstream file(segment, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  for (int round = 0; round < 10; ++round) {
    std::string damaged = whole;
    if (round % 2 == 0)
      damaged.erase(1000 + random_.below(whole.size() - 1000), 1 + random_.below(3000));
    else
      damaged[1000 + random_.below(whole.size() - 1000)] ^= 0x10;
    std::ofstream(segment, std::ios::binary) << damaged;
    expect_exact(6, {});
  }
}

TEST_F(Search, goes_on_with_what_came_since_when_the_oldest_come_first) {
  LogSearch search(buffer_.records());
  LogQuery query{.limit = 1000, .newest_first = false};
  auto page = search.find(query);
  while (!page->is_complete) query.next = page->next, page = search.find(query);
  query.next = page->next;
  EXPECT_EQ(page->next, kRecords + 1);
  EXPECT_TRUE(search.find(query)->entries.empty());
  const Payloads more = parse_entries_of(kRecords + 1, 1);
  const std::string_view view = more[0];
  ASSERT_TRUE(buffer_.commit({&view, 1}));
  page = search.find(query);
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0].payload, view);
}

TEST_F(Search, an_index_goes_with_its_segment_and_one_without_is_removed_at_the_start) {
  index_all();
  ASSERT_TRUE(buffer_.retain({.bytes_max = 500'000}));
  EXPECT_TRUE(all_are_indexed());
  EXPECT_LT(files("segment-").size(), 5U);
  expect_exact(20, {});
  const auto orphan = folder_.path() / "index-00000001";
  std::ofstream(orphan) << "left behind";
  {
    const Buffer moved = std::move(buffer_);
  }
  (void)Buffer::open(*open_folder(folder_.path()), kSearchClock, {.free_bytes_min = 0});
  EXPECT_FALSE(std::filesystem::exists(orphan));
  EXPECT_FALSE(files("index-").empty());
}

TEST(FoldedText, is_found_wherever_it_stands_in_either_case) {
  for (const std::string text : {"needle", "xneedle", "neneedle", "NEEDLE in hay", "hay NeeDLe"})
    EXPECT_TRUE(FoldedText("nEEdle").is_in(text)) << text;
  for (const std::string text : {"", "needl", "nedle", "n e e d l e"}) EXPECT_FALSE(FoldedText("needle").is_in(text));
  EXPECT_TRUE(FoldedText("a").is_in("xA"));
  EXPECT_TRUE(FoldedText("ä").is_in("Gerät"));
}

}  // namespace
}  // namespace rltune::telemetry
