// What is sent together, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/time.hpp"
#include "rltune/telemetry/record_source.hpp"

namespace rltune::forward {

struct Record {
  std::uint64_t sequence = 0;
  std::string id;            // of this record alone, everywhere and for ever
  std::string site;          // whose it is
  std::int64_t unix_ns = 0;  // when it came
  std::string entry;         // JSON: a log entry or a metric sample
};

struct Batch {
  std::string buffer_id, site, stream;  // of the buffer that is forwarded
  telemetry::SequenceRange range;
  std::vector<Record> records;  // of the range, ascending; fewer where some are gone
  std::string id() const;
};

// "<buffer id>-<stream>-<sequence>"
std::string record_id(const std::string& buffer_id, const std::string& stream, std::uint64_t sequence);

// A record that the receiver will never take.
struct RecordFault {
  std::uint64_t sequence = 0;
  std::string reason;
};

struct Outcome {
  enum class Kind : std::uint8_t {
    delivered,  // all but `refused`
    again,      // nobody knows, or not now
    denied,     // not before a person has changed something: a key, an address
    refused,    // what is in it: one record of it at least
  };
  Kind kind = Kind::delivered;
  std::string reason;                   // of all but delivered
  std::optional<Duration> retry_after;  // the receiver's wish
  std::vector<RecordFault> refused;     // of delivered
  std::uint64_t refused_unnamed = 0;    // of delivered: so many, and `reason` says why
};

// Takes batches to one place.
//
// Threads: one, cancel() from any.
class Delivery {
 public:
  virtual ~Delivery() = default;
  // The same batch may come again, whatever became of it before.
  virtual Outcome deliver(const Batch& batch) = 0;
  // A delivery under way, and every later one, ends soon.
  virtual void cancel() noexcept = 0;
};

}  // namespace rltune::forward
