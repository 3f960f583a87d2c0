// The DecisionLog keeps every decision durably: what was seen, proposed, ruled and applied, by which
// policy, and how long each part took. One SQLite file a day, so that old days can be moved or removed
// whole. `rltune audit show|replay` reads it; replay recomputes a decision to the same bits.
//
// Threads: append() belongs to io's loop and only enqueues; a writer thread commits in groups.
//          flush() waits for the disk. When the queue is full append() returns false: io then holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/breaker.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/keeping.hpp"
#include "rltune/base/time.hpp"

namespace rltune::historian {

// Of the records' bodies, and of the files as a whole: docs/formats/decision-log.md.
inline constexpr int kDecisionLogFormat = 3;

struct DecisionOutput {
  std::string tag;
  double proposed = 0.0;
  bool present = false;
  double applied = 0.0;       // read back from the plant, or the live value where nothing was written
  std::uint8_t action = 0;    // guard::Action
  std::uint32_t reasons = 0;  // guard::Reason bits
  bool written = false;
  bool verified = false;
  double explored = 0.0;  // the part of `proposed` that is exploration, not the policy's
};

struct SeenValue {
  std::string tag;
  double value = 0.0;  // NaN where it was not good
};

struct Decision {
  std::string id;  // UUIDv7
  std::string agent;
  std::string correlation_id;
  std::string policy_sha256;  // of the weights that acted; empty for a person or a fallback
  std::string origin;         // "policy", "fallback", "manual"
  std::string user;           // for manual writes
  std::string reason;         // theirs, in their own words
  std::uint8_t mode = 0;      // guard::Mode
  TimePoint time{};           // decided at, on the site's clock
  TimePoint wall_time{};
  std::vector<float> observation;  // exactly what the network saw
  std::vector<double> previous_inputs;
  std::vector<float> network_output;
  std::vector<float> recurrent_state;  // what the network remembered before it; empty without recurrent layers
  std::vector<DecisionOutput> outputs;
  std::vector<SeenValue> seen;  // what else learning from it needs: the tags of its reward, as io had them
  bool learnable = false;       // applied by the loop, not by a person, the DCS, an interlock or the fallback
  Duration sample_to_proposal{}, proposal{}, verdict{}, sample_to_write{}, write_acknowledged{};
};

struct DecisionLogStatus {
  std::uint64_t committed = 0;  // since open()
  std::uint64_t waiting = 0;
  std::string trouble;        // empty when well; "disk full since ..."
  Breaker::Figures circuit;   // to the disk
  std::uint64_t removed = 0;  // files, by retention, since open()
};

struct DecisionLogOptions {
  std::size_t queue_max = 10'000;
  std::uint64_t wal_bytes_max = 16U << 20U;  // a reader that holds on longer makes the day continue in another file
  Keeping keeping;                           // of files after their last decision; the newest file stays
};

class DecisionLog {
 public:
  static Result<DecisionLog> open(const std::filesystem::path& folder, const DecisionLogOptions& options = {});
  ~DecisionLog();
  DecisionLog(DecisionLog&&) noexcept;
  DecisionLog& operator=(DecisionLog&&) noexcept;

  bool append(Decision decision) noexcept;
  // What was appended before is on disk when it returns well. Errors: those of the disk; timeout after 30 s.
  Result<> flush();
  DecisionLogStatus status() const;

 private:
  struct State;
  explicit DecisionLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Removes the files in which nothing was written since `before`, by the wall clock: days of a plant's own clock come in
// any order. The newest file stays, and so does `but`. A reader that has one open keeps it until it closes it. Returns
// how many went. Errors: not_found, io.
Result<std::uint64_t> remove_decisions(const std::filesystem::path& folder, TimePoint before,
                                       const std::filesystem::path& but = {});

// Reading is for tools, beside a running writer. In [from, to), ascending by time, at most `limit`, after
// `after_id` if given. Errors: not_found (the folder, the id), corrupt (names the file and the record).
Result<std::vector<Decision>> read_decisions(const std::filesystem::path& folder, TimePoint from, TimePoint to,
                                             std::size_t limit, const std::string& after_id = {});
// Those made after `wall_time`, the newest `limit` of them, in the order in which they were made. What is damaged is
// left out: who learns from them learns from the rest.
Result<std::vector<Decision>> newest_decisions(const std::filesystem::path& folder, TimePoint wall_time,
                                               std::size_t limit);
Result<Decision> find_decision(const std::filesystem::path& folder, const std::string& id);

// What the log takes on disk, for `rltune site storage`.
struct DecisionStorage {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  double bytes_per_day = 0.0;  // decisions of the last recorded day of wall time
};
Result<DecisionStorage> decision_storage(const std::filesystem::path& folder);

}  // namespace rltune::historian
