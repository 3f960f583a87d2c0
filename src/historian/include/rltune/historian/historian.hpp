// The Historian stores samples in SQLite: batched, rolled up, bounded in age and size.
//
// Threads: append() may be called from io's loop: it only enqueues, and counts what a full queue drops;
//          a writer thread commits. Readers open their own connection and page.
// Durable: flush() returns after everything appended before it is committed (WAL, synchronous = FULL).
// Files:   docs/formats/historian.md. One process writes a folder; others read it with open_reader().
// Disk full: reported in status() and survived: samples wait in the bounded queue, oldest dropped and counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/breaker.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/base/time.hpp"

namespace rltune::historian {

// Of its files: docs/formats/historian.md.
inline constexpr int kHistorianFormat = 1;

enum class Resolution : std::uint8_t { raw, minute, five_minutes, hour };

struct Retention {
  Duration raw = std::chrono::days(7);
  Duration minute = std::chrono::days(7);
  Duration five_minutes = std::chrono::days(90);
  std::uint64_t bytes_max = 0;  // 0: by age alone. Hours are kept for ever.
};

struct Options {
  std::filesystem::path folder;
  Retention retention;
  std::size_t queue_samples_max = 1'000'000;
  std::size_t batch_samples_max = 10'000;
  Duration batch_wait = std::chrono::milliseconds(200);
  Duration maintain_every = std::chrono::minutes(1);
  // A reader that holds on to an old state longer than this much log makes writing go on in another file.
  std::uint64_t wal_bytes_max = 16U << 20U;
};

struct Rollup {
  TimePoint start{};
  double minimum = 0.0, maximum = 0.0, mean = 0.0, last = 0.0;
  std::uint64_t count = 0;  // good samples
  std::uint64_t bad = 0;    // uncertain and bad ones, left out of the figures
};

struct Status {
  std::uint64_t samples_committed = 0;  // ever
  std::uint64_t samples_waiting = 0, samples_dropped = 0;
  std::uint64_t bytes_database = 0, bytes_wal = 0, bytes_free = 0;
  double bytes_per_day = 0.0;    // at the rate of the last day
  double bytes_settled = 0.0;    // where retention lets that rate end, in a year
  double days_until_full = 0.0;  // infinite where retention keeps within what is free
  std::string trouble;           // empty when well; "disk full since ..."
  std::string damage;            // found since the start and put aside: what it held is missing, the rest goes on
  Breaker::Figures circuit;      // to the disk
};

class Historian {
 public:
  // Opens or creates; `tags` are the names by index (Sample::tag). A changed list is reconciled by name.
  static Result<Historian> open(const Options& options, std::span<const std::string> tags);
  // For tools, beside a running writer: reads and status() only; append() drops what it is given.
  static Result<Historian> open_reader(const std::filesystem::path& folder, const Retention& retention = {});
  ~Historian();
  Historian(Historian&&) noexcept;
  Historian& operator=(Historian&&) noexcept;

  void append(std::span<const Sample> samples) noexcept;
  // Errors: what the disk said; no_space as well when samples were dropped since the last flush(); timeout (30 s).
  Result<> flush();
  Status status() const;
  // Rollups, retention, WAL checkpoint. The writer thread runs it as well, with the newest instant it has seen: the
  // smaller of source and received time, so that neither a simulated past nor a sensor's wrong clock ages the data.
  Result<> maintain(TimePoint now);

  // The tags that are known: those of open(), in their order, or every one in the files.
  std::vector<std::string> tags() const;

  // [from, to), ascending by source_time and element, at most `limit`; the next page starts after the last one's
  // source_time. The elements of one instant are never parted: where they alone exceed the limit, so does the page.
  // Of samples with the same tag, element and source_time the last one stays. Errors: not_found (tag), corrupt.
  Result<std::vector<Sample>> samples(const std::string& tag, TimePoint from, TimePoint to, std::size_t limit) const;
  // Of element 0, as of the last maintain(). Errors: also invalid_argument (raw).
  Result<std::vector<Rollup>> rollups(const std::string& tag, Resolution resolution, TimePoint from, TimePoint to,
                                      std::size_t limit) const;

 private:
  struct State;
  explicit Historian(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::historian
