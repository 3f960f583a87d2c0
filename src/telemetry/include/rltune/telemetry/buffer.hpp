// Records on disk until somebody has taken them away: what commit() returned is there after any crash, once, in order,
// and what a disk loses is counted and named. Files: docs/formats/telemetry-buffer.md
//
// Threads: one writes; what records() reads, any.
// Memory: what one commit writes, whatever is stored.
#pragma once

#include <functional>
#include <limits>
#include <optional>

#include "rltune/base/clock.hpp"
#include "rltune/telemetry/record_reader.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

struct Frame;
struct Watermark;
class UnsentTally;

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

// What may stay, and who waits for it.
struct Retention {
  std::uint64_t bytes_max = std::uint64_t{100} << 30U;
  Duration age_max = std::chrono::days(30);
  std::function<std::uint64_t()> taken;  // the last record that every sink has taken; none: nobody waits for any
};

// What retention let go.
struct Removed {
  SequenceRange all;
  std::optional<SequenceRange> unsent;  // the part of it that not every sink had taken
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

  // What was acknowledged. It lives as long as the buffer.
  RecordReader& records() const noexcept { return *records_; }

  // Removes whole segments from the beginning, at most so many, never the last. None where nothing had to go.
  Result<std::optional<Removed>> retain(const Retention& retention,
                                        std::size_t segments_max = std::numeric_limits<std::size_t>::max());
  // Records that were removed before every sink had taken them, since the folder was made.
  std::uint64_t unsent() const noexcept;
  // Whether a commit would find a disk to write on: there is room, and a watermark can be written.
  Result<> probe();

  std::uint64_t floor() const noexcept { return floor_; }
  std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  std::uint64_t bytes() const noexcept;  // of its segments
  std::uint64_t free_bytes() const;      // of its disk
  std::uint64_t free_bytes_min() const noexcept { return options_.free_bytes_min; }

 private:
  struct Segment;
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
  Result<> check_room() const;
  Result<> remove_first();
  void tell_numbers();
  void tell_segments();
  std::uint64_t end_of(std::size_t segment) const noexcept;

  std::shared_ptr<Storage> storage_;
  const Clock& clock_;
  BufferOptions options_;
  Recovery recovery_;
  std::vector<Segment> segments_;
  std::uint64_t next_number_ = 1;
  std::unique_ptr<StoredFile> active_;  // none: the next commit begins a segment
  std::unique_ptr<StoredFile> watermark_;
  std::uint64_t watermark_count_ = 0;
  bool floor_in_doubt_ = false;  // a write of another floor failed, and none has succeeded since
  std::uint64_t acknowledged_ = 0, floor_ = 1;
  std::uint64_t end_ = 0;  // of what is durable; beyond acknowledged_ where a watermark could not be written
  std::string bytes_;      // of the commit
  std::unique_ptr<UnsentTally> unsent_;
  std::shared_ptr<Published> published_;
  std::unique_ptr<RecordReader> records_;
};

}  // namespace rltune::telemetry
