// One stream to one sink: a thread that reads batches, sends them until they are taken, and remembers durably where it
// is. Killed at any moment it goes on with the batch that it was at, under the same id. Files:
// docs/formats/telemetry-forward.md
//
// Threads: notify(), figures() and taken() from any. Memory: one batch and what it becomes on the wire.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "rltune/base/clock.hpp"
#include "rltune/forward/batch.hpp"

namespace rltune::forward {

struct ForwarderOptions {
  std::string sink;  // its name, for the log
  std::string site, stream;
  std::string buffer_id;                        // a UUID, made with the buffer and kept beside it
  std::filesystem::path folder;                 // of this sink and stream alone
  std::size_t batch_bytes_max = 512UZ << 10U;   // of payloads, before they are encoded
  Duration interval = std::chrono::seconds(5);  // the longest that a record waits for others
  Duration retry_first = std::chrono::seconds(1), retry_max = std::chrono::seconds(60);
  Duration denied_first = std::chrono::seconds(15), denied_max = std::chrono::seconds(300);
  std::uint64_t dead_letter_bytes_max = std::uint64_t{32} << 20U;
  // What a stored record is to the receiver; by default the payload is the entry, and the id is of buffer and sequence.
  std::function<Record(telemetry::StoredRecord)> unwrap;
};

struct Figures {
  std::uint64_t delivered = 0;                           // the last sequence number that need not be sent any more
  std::uint64_t waiting_records = 0, waiting_bytes = 0;  // bytes: about, from the last batch
  std::optional<TimePoint> last_success;
  std::string trouble;  // empty: none
  // Since the start. sent: taken by the receiver; refused: dead letters; retried: sendings that were not the first of
  // their batch; lost: the disk did; removed: retention was faster; dropped: dead letters that found no room
  std::uint64_t sent_records = 0, sent_batches = 0, refused = 0, retried = 0, lost = 0, removed = 0, dropped = 0;
};

class Forwarder {
 public:
  // Both outlive it. Errors: io, no_space; denied: another process forwards from that folder.
  static Result<std::unique_ptr<Forwarder>> start(telemetry::RecordSource& source, std::unique_ptr<Delivery> delivery,
                                                  ForwarderOptions options, const Clock& clock);
  // Ends a sending under way; that batch is sent again after the next start.
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // The source has more. Cheap: it wakes the thread only where there is something to do. Not while the source is
  // locked: it is asked how much.
  void notify() noexcept;
  Figures figures() const;
  // What retention may let go without a loss: durable.
  std::uint64_t taken() const noexcept;

 private:
  struct State;
  explicit Forwarder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::forward
