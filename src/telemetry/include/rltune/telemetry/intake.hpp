// Many senders, one disk: what they give while a commit is under way becomes durable with the next one, together. So
// one sync pays for all of them, and nobody waits for more than two.
//
// Threads: submit(), commit() and read() from any; `done` is called on the intake's own thread and must not wait.
// Memory: what waits, bounded by waiting_bytes_max.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/telemetry/buffer.hpp"

namespace rltune::telemetry {

struct IntakeOptions {
  std::size_t waiting_bytes_max = std::size_t{8} << 20U;
  std::size_t commit_bytes_max = std::size_t{1} << 20U;  // at least one sender's
};

class Intake {
 public:
  using Done = std::function<void(const Result<SequenceRange>&)>;

  explicit Intake(Buffer buffer, IntakeOptions options = {});
  // What was taken is committed first.
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes all of them, to call `done` once they are durable, or cannot be; or none. Errors: no_space: too much waits,
  // try again later; invalid_argument: none, or one that is longer than a record may be.
  Result<> submit(std::vector<std::string> payloads, Done done);
  // The same, waited for.
  Result<SequenceRange> commit(std::vector<std::string> payloads);

  Result<StoredBatch> read(std::uint64_t from, std::size_t bytes_max);

  struct Counts {
    std::uint64_t records = 0, commits = 0, refused = 0;  // refused: records that found no room, or no disk
  };
  Counts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::telemetry
