// The Recorder takes entries from a loop that must not wait and has a thread write them, sign heads in time and try
// again when the disk is full. What this process finds damaged (base/damage.hpp) becomes an entry by itself.
//
// Threads: post() from any thread: it enqueues, and counts what a full queue does not take; that loss becomes an entry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "rltune/audit/entry.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/keeping.hpp"

namespace rltune::audit {

struct RecorderOptions {
  std::filesystem::path folder;  // <storage>/audit
  std::string role;
  std::size_t queue_max = 10'000;
  std::uint64_t head_lines = 1000;
  Duration head_every = std::chrono::seconds(60);
  Duration retry_wait = std::chrono::seconds(1);
  Keeping keeping;                // of whole days
  bool keeps_for_others = false;  // as well for logs that nobody writes now
};

struct RecorderStatus {
  std::uint64_t written = 0, waiting = 0, lost = 0;
  std::string trouble;        // empty when well
  std::uint64_t removed = 0;  // files, by retention
};

class Recorder {
 public:
  // Starts at once, whatever the disk says: a role must run.
  explicit Recorder(const RecorderOptions& options);
  // Writes what waits, and a head; gives up when the disk does not take it.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // An entry without an actor is the role's own.
  void post(Entry entry) noexcept;
  // What was posted before is on disk when it returns well. Errors: those of the disk; timeout (10 s).
  Result<> flush();
  RecorderStatus status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::audit
