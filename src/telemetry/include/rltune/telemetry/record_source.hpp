// Records to read in order, whoever keeps them: what a forwarder and a search need of a buffer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::telemetry {

struct SequenceRange {
  std::uint64_t first = 0, last = 0;  // both included
  std::uint64_t count() const noexcept { return last - first + 1; }
  bool operator==(const SequenceRange&) const = default;
};

struct StoredRecord {
  std::uint64_t sequence = 0;
  std::int64_t unix_ns = 0;  // when it came
  std::string payload;
};

struct StoredBatch {
  std::vector<StoredRecord> records;
  std::vector<SequenceRange> lost;  // acknowledged, and not there
  std::uint64_t next = 0;           // where to go on
};

// Threads: any.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Acknowledged records from `from` on, ascending, until their payloads are `bytes_max` (at least one record).
  virtual Result<StoredBatch> read(std::uint64_t from, std::size_t bytes_max) = 0;
  virtual std::uint64_t floor() const = 0;         // the first that retention has not let go
  virtual std::uint64_t acknowledged() const = 0;  // the last one
};

}  // namespace rltune::telemetry
