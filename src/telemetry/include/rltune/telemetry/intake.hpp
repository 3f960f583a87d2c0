// Many senders, one disk: what they give while a commit is under way becomes durable with the next one, together. So
// one sync pays for all of them, and nobody waits for more than two. Between commits it keeps the buffer: retention,
// and a try whether the disk can still be written.
//
// Threads: everything from any. `done` and the functions of the options are called on the intake's own thread and must
// not wait.
// Memory: what waits, bounded by waiting_bytes_max.
#pragma once

#include <functional>
#include <memory>

#include "rltune/telemetry/buffer.hpp"
#include "rltune/telemetry/payloads.hpp"

namespace rltune::telemetry {

struct Commit {
  std::uint64_t records = 0, bytes = 0;  // bytes of payloads
  Duration took{};
  bool is_durable = false;
};

struct IntakeOptions {
  std::size_t waiting_bytes_max = std::size_t{8} << 20U;
  std::size_t commit_bytes_max = std::size_t{1} << 20U;  // at least one sender's
  Duration upkeep_every = std::chrono::seconds(5);       // retention, and the try of a disk that was idle or failed
  std::function<void(const Commit&)> on_commit;
  std::function<void(const Removed&)> on_removed;  // by retention
};

class Intake final : public RecordSource {
 public:
  using Done = std::function<void(const Result<SequenceRange>&)>;

  explicit Intake(Buffer buffer, IntakeOptions options = {});
  // What was taken is committed first.
  ~Intake() override;
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes all of them, to call `done` once they are durable, or cannot be; or none. Errors: no_space: too much waits,
  // try again later; invalid_argument: none, or one that is longer than a record may be.
  Result<> submit(Payloads payloads, Done done);
  // The same, waited for.
  Result<SequenceRange> commit(Payloads payloads);

  // From now on what is older, or more, goes: a segment at a time, so that no commit waits for many. Nothing goes
  // before this was called.
  void retain(Retention retention);

  Result<StoredBatch> read(std::uint64_t from, std::size_t bytes_max) override;
  std::uint64_t floor() const override;
  std::uint64_t acknowledged() const override;
  RecordReader& records() const noexcept;

  struct Status {
    std::uint64_t records = 0, commits = 0, bytes = 0;  // durable since the start
    std::uint64_t refused = 0;                          // records that found no room, or no disk, since the start
    std::uint64_t lost = 0;                             // acknowledged, and found to be gone, since the start
    std::uint64_t removed = 0;                          // by retention, since the start
    std::uint64_t unsent = 0;                           // removed before every sink had taken them, ever
    std::uint64_t floor = 1, acknowledged = 0;
    std::uint64_t disk_bytes = 0, free_bytes = 0;
    bool low_disk = false;  // less than twice of what has to stay free
    std::size_t waiting_bytes = 0;
  };
  Status status() const;
  // The outcome of the last commit, or of the last try where that is later: there is room, and the disk takes a write.
  Result<> writable() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::telemetry
