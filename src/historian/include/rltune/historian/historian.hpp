// The Historian stores samples in SQLite: batched, rolled up, bounded in age and size.
//
// Threads: append() may be called from io's loop: it only enqueues, and counts what a full queue drops;
//          a writer thread commits. Readers open their own connection and page.
// Durable: flush() returns after everything appended before it is committed (WAL, synchronous = FULL).
// Disk full: reported in status() and survived: samples wait in the bounded queue, oldest dropped and counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/base/time.hpp"

namespace rltune::historian {

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
};

struct Rollup {
  TimePoint start{};
  double minimum = 0.0, maximum = 0.0, mean = 0.0, last = 0.0;
  std::uint64_t count = 0;  // good samples
  std::uint64_t bad = 0;    // uncertain and bad ones, left out of the figures
};

struct Status {
  std::uint64_t samples_committed = 0, samples_waiting = 0, samples_dropped = 0;
  std::uint64_t bytes_database = 0, bytes_wal = 0, bytes_free = 0;
  double bytes_per_day = 0.0;  // at the rate of the last day
  std::string trouble;         // empty when well; "disk full since ..."
};

class Historian {
 public:
  // Opens or creates; `tags` are the names by index (Sample::tag). A changed list is reconciled by name.
  static Result<Historian> open(const Options& options, std::span<const std::string> tags);
  ~Historian();
  Historian(Historian&&) noexcept;
  Historian& operator=(Historian&&) noexcept;

  void append(std::span<const Sample> samples) noexcept;
  Result<> flush();
  Status status() const;
  Result<> maintain(TimePoint now);  // rollups, retention, WAL checkpoint; also run by the writer thread

  // [from, to), ascending, at most `limit`; the next page starts after the last one's source_time.
  Result<std::vector<Sample>> samples(const std::string& tag, TimePoint from, TimePoint to, std::size_t limit) const;
  Result<std::vector<Rollup>> rollups(const std::string& tag, Resolution resolution, TimePoint from, TimePoint to,
                                      std::size_t limit) const;

 private:
  struct State;
  explicit Historian(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::historian
