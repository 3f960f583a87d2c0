// Records on disk until somebody has taken them away: what commit() returned is there after any crash, once, in order,
// and what a disk loses is counted and named. Files: docs/formats/telemetry-buffer.md
//
// Threads: one. Memory: a window of the segment that is read, whatever is stored.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "rltune/base/clock.hpp"
#include "rltune/telemetry/record_source.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

struct Frame;
struct Watermark;

struct BufferOptions {
  std::uint64_t segment_bytes = std::uint64_t{64} << 20U;  // a segment ends with the commit that reaches it
  std::uint64_t free_bytes_min = std::uint64_t{1} << 30U;  // below it nothing is taken any more
  std::function<std::uint64_t()> salt;                     // of a new segment; the system's random numbers by default
};

// What opening found.
struct Recovery {
  std::vector<SequenceRange> lost;   // acknowledged, and not in the last segment any more
  std::uint64_t unacknowledged = 0;  // written whole before a crash, and written again
  std::uint64_t remains = 0;         // files of a beginning that a crash cut short, removed
  std::vector<std::string> damaged;  // files whose header is gone; they stay
  bool watermark_gone = false;       // so nobody knows what is lost at the end
};

class Buffer {
 public:
  // Repairs what a crash left. Errors: io.
  static Result<Buffer> open(std::unique_ptr<Storage> storage, const Clock& clock, BufferOptions options);
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer();

  const Recovery& recovery() const noexcept { return recovery_; }

  // All of them durable, under the numbers that it returns. Errors: none of them is acknowledged, whichever may be
  // there later; invalid_argument: one is longer than 1 MiB; no_space: the disk is full, or has less left than it
  // shall.
  Result<SequenceRange> commit(std::span<const std::string_view> payloads);

  // Acknowledged records from `from` on, ascending, until their payloads are `bytes_max` (at least one record).
  Result<StoredBatch> read(std::uint64_t from, std::size_t bytes_max);

  struct Limits {
    std::uint64_t bytes_max = std::uint64_t{100} << 30U;
    Duration age_max = std::chrono::days(30);
  };
  // Removes whole segments from the beginning, never the last. What it removed, none where nothing had to go.
  Result<std::optional<SequenceRange>> retain(const Limits& limits);

  std::uint64_t floor() const noexcept { return floor_; }
  std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  std::uint64_t bytes() const noexcept;

 private:
  struct Segment;
  struct Position;
  Buffer(std::unique_ptr<Storage> storage, const Clock& clock, BufferOptions options);

  Result<> recover();
  Result<> open_watermark();
  Result<> list_segments();
  Result<> forget_removed();
  Result<> repair_end();
  Result<> scan_end(std::vector<StoredRecord>& again);
  Result<SequenceRange> write_frames(std::span<const Frame> frames);
  Result<> begin_segment();
  Result<> write_slot(const Watermark& watermark);
  Result<> write_watermark(std::uint64_t acknowledged, std::uint64_t floor);
  std::uint64_t end_of(std::size_t segment) const noexcept;
  Result<> read_segment(std::size_t segment, std::uint64_t end, std::size_t bytes_max, StoredBatch& into,
                        std::size_t& taken);

  std::unique_ptr<Storage> storage_;
  const Clock& clock_;
  BufferOptions options_;
  Recovery recovery_;
  std::vector<Segment> segments_;
  std::uint64_t next_number_ = 1;
  std::unique_ptr<StoredFile> active_;  // none: the next commit begins a segment
  std::unique_ptr<StoredFile> watermark_;
  std::uint64_t watermark_count_ = 0;
  std::uint64_t acknowledged_ = 0, floor_ = 1;
  std::uint64_t end_ = 0;  // of what is durable; beyond acknowledged_ where a watermark could not be written
  std::string bytes_;      // of the commit
  std::unique_ptr<Position> position_;
};

}  // namespace rltune::telemetry
