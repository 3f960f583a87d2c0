// A site's alerts, kept: reads both buffers from where it left off, evaluates, keeps the state, and has told what is to
// be told. After any crash it goes on where its state stands: a record is counted once, a notice is told at least once,
// and again only if it was killed between a channel's answer and the state's next writing (under the same key and
// number).
//
// Threads: turn() belongs to one; the others to any.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "rltune/alerts/engine.hpp"
#include "rltune/alerts/notifier.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/telemetry/record_source.hpp"

namespace rltune::alerts {

struct WatchOptions {
  std::filesystem::path state_file;
  Duration evaluate_every = std::chrono::seconds(5);
  Duration keep_every = std::chrono::minutes(1);  // at least; at once where an alert changed
  std::size_t read_bytes = std::size_t{1} << 20U;
  std::size_t reads_a_turn = 32;  // of each buffer; then others have their turn
  EngineOptions engine;
  NotifierOptions notifier;
};

struct WatchCounts {
  EngineCounts engine;
  std::vector<ChannelCounts> channels;
  std::uint64_t entries = 0, samples = 0;  // looked at
  std::uint64_t unreadable = 0;            // records that are none
  std::uint64_t keep_failures = 0;
};

class Watch {
 public:
  // A state that cannot be read is put aside. Without one it begins with what comes from now on. Both sources and the
  // clock outlive it. Errors: io.
  static Result<std::unique_ptr<Watch>> open(config::Alerts alerts, WatchOptions options, const Clock& clock,
                                             telemetry::RecordSource& logs, telemetry::RecordSource& metrics);
  // The state is kept once more.
  ~Watch();

  // What is due; at least once a second, and again at once while it is true. False: nothing was.
  bool turn();

  // [{"id": ..., "rule": ..., "state": "firing", ...}, ...]: those that are pending or firing, by their ids.
  std::string instances_json() const;
  // Errors: as of Engine.
  Result<Instance> acknowledge(const std::string& id, const std::string& who, const std::string& why,
                               std::optional<TimePoint> until);
  // Waits for the channel's answer. Errors: not_found; as of Channel.
  Result<> test(const std::string& channel);

  WatchCounts counts() const;

 private:
  Watch(config::Alerts alerts, WatchOptions options, const Clock& clock, telemetry::RecordSource& logs,
        telemetry::RecordSource& metrics);
  Result<> restore();
  // False: there is more.
  bool read(telemetry::RecordSource& source, std::uint64_t& next, bool logs);
  void take(const telemetry::StoredRecord& record, bool logs);
  void keep();
  void hand_over();

  WatchOptions options_;
  const Clock& clock_;
  telemetry::RecordSource &logs_, &metrics_;
  mutable std::mutex mutex_;  // of the engine and the counts
  Engine engine_;
  WatchCounts counts_;
  Duration due_ = Duration::min(), keep_due_ = Duration::min();
  std::string kept_;
  bool changed_ = false, keeping_failed_ = false;
  std::unique_ptr<Notifier> notifier_;
};

}  // namespace rltune::alerts
