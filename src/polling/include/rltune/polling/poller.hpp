// Asks every target for its metrics, again and again, all of them at once: one that hangs has until its time limit and
// delays nobody. As Prometheus does, each sample gets the target's labels (one of its own of that name becomes
// exported_NAME), and each target `up`, `scrape_duration_seconds` and `scrape_samples_scraped`.
//
// Threads: turn() belongs to one; stop() and counts() to any. It starts one a target while it asks.
// Memory: the answers under way, each bounded by ExpositionLimits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/polling/exposition.hpp"
#include "rltune/polling/target.hpp"

namespace rltune::polling {

struct PollerOptions {
  Duration every = std::chrono::seconds(15);
  Duration timeout{};  // of one target; 0: four fifths of `every`, 10 s at most
  std::size_t targets_max = 200;
  ExpositionLimits limits;
};

// Of one target, as its last answer left it.
struct TargetState {
  Target target;
  bool up = false;
  std::string fault;  // of the last time it was not: "timeout: ..."
  TimePoint asked{};
  Duration took{};
  std::size_t samples = 0;
  std::uint64_t polls = 0, faults = 0;
};

struct PollCounts {
  std::uint64_t rounds = 0;
  std::uint64_t missed = 0;  // rounds for which the one before left no time
  std::uint64_t polls = 0, faults = 0, samples = 0;
  std::uint64_t left_out = 0;  // targets beyond targets_max, each time
};

class Poller {
 public:
  using Targets = std::function<std::vector<Target>()>;
  // One target's answer, in the order of time; not two at once.
  using Take = std::function<void(std::vector<telemetry::MetricSample>)>;

  // `targets` is asked before each round, on turn()'s thread; `take` is called on others while turn() waits.
  Poller(const Clock& clock, PollerOptions options, Targets targets, Take take);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Asks everybody if it is time to, and returns when all have answered or had their time. False: not yet.
  bool turn();
  // When the next round is due; steady.
  Duration due() const noexcept;
  // What is under way ends at once, and nobody is asked any more.
  void stop() noexcept;

  PollCounts counts() const;
  std::vector<TargetState> targets() const;  // in the order of their URLs

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::polling
