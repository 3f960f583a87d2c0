// Searches in entries of 256 bytes, a thousand a second: RLTUNE_ENTRIES of them, a million by default.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <format>

#include "index_store.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "rltune/telemetry/log_search.hpp"
#include "temporary_folder.hpp"
#include "view.hpp"

namespace rltune::telemetry {
namespace {

const WallClock kClock;

std::string entry_of(std::uint64_t i) {
  const TimePoint time(std::chrono::milliseconds(1'756'116'000'000 + i));
  std::string entry =
      std::format(R"({{"timestamp":"{}","service":"{}","level":"{}","message":"","correlation_id":"abc-{:08}"}})",
                  format_rfc3339(time), i % 3 == 0 ? "agent" : "io", i % 100 == 0 ? "ERROR" : "INFO", i / 4);
  constexpr std::string_view kBefore = R"("message":")";
  entry.insert(entry.find(kBefore) + kBefore.size(), std::string(256 - entry.size(), 'm'));
  return entry;
}

// Written once for all benchmarks.
class Stored {
 public:
  Stored() : buffer_(*Buffer::open(*open_folder(folder_.path()), kClock, {.free_bytes_min = 0})) {
    if (const char* asked = std::getenv("RLTUNE_ENTRIES")) entries_ = std::strtoull(asked, nullptr, 10);
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < entries_; ++i) {
      texts.push_back(entry_of(i));
      if (texts.size() < 4096 && i + 1 < entries_) continue;
      const std::vector<std::string_view> views(texts.begin(), texts.end());
      if (!buffer_.commit(views)) std::abort();
      texts.clear();
    }
    // As the indexer does in the background.
    const View view = buffer_.records().published().view();
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i + 1 < view.segments->size(); ++i) {
      GrowingIndex index((*view.segments)[i]);
      if (!index.extend(buffer_.records().storage(), view.end_of(i)) ||
          !write_index(buffer_.records().storage(), index.index()))
        std::abort();
    }
    index_ns_ = to_seconds(std::chrono::steady_clock::now() - begin) * 1e9 / static_cast<double>(entries_);
  }
  static Stored& the() {
    static Stored stored;
    return stored;
  }
  std::uint64_t entries() const { return entries_; }
  double index_ns_an_entry() const { return index_ns_; }
  // All pages.
  std::uint64_t find(LogQuery query) {
    LogSearch search(buffer_.records());
    std::uint64_t found = 0;
    while (true) {
      const auto page = search.find(query);
      if (!page) std::abort();
      found += page->entries.size();
      if (page->is_complete) return found;
      query.next = page->next;
    }
  }

 private:
  std::uint64_t entries_ = 1'000'000;
  double index_ns_ = 0.0;
  TemporaryFolder folder_;
  Buffer buffer_;
};

void a_correlation_id_among_all(benchmark::State& state) {
  std::uint64_t found = 0;
  Stored::the();
  for (auto _ : state)
    found = Stored::the().find({.correlation_id = std::format("abc-{:08}", Stored::the().entries() / 8)});
  state.counters["found"] = static_cast<double>(found);
  state.counters["index_ns_an_entry"] = Stored::the().index_ns_an_entry();
}
BENCHMARK(a_correlation_id_among_all)->UseRealTime()->Unit(benchmark::kMillisecond);

void a_text_in_an_hour(benchmark::State& state) {
  const TimePoint begin(std::chrono::seconds(1'756'116'000));
  std::uint64_t found = 0;
  for (auto _ : state)
    found = Stored::the().find({.from = begin, .to = begin + std::chrono::hours(1), .text = "it is not there"});
  state.counters["found"] = static_cast<double>(found);
}
BENCHMARK(a_text_in_an_hour)->UseRealTime()->Unit(benchmark::kMillisecond);

void all_errors_of_a_service(benchmark::State& state) {
  std::uint64_t found = 0;
  for (auto _ : state) found = Stored::the().find({.services = {"agent"}, .level_min = log::Level::error});
  state.counters["found"] = static_cast<double>(found);
}
BENCHMARK(all_errors_of_a_service)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rltune::telemetry
