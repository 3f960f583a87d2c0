// The rules of alerts.yaml on a stream of samples and log entries: which alerts there are, and what is to be told to
// whom. It does nothing by itself: no clock, no file, no network. state() is all that it knows; an engine that takes it
// back goes on where this one stood, without a notice too many or too few.
//
// A figure is what the newest sample says; one that is older than `lookback` says nothing any more. rate and increase
// are sums of what a counter grew between samples of the window, whose resets count as growth from zero, without
// Prometheus' extrapolation to its edges.
//
// Threads: one. Memory: bounded by Options; what finds no room is counted.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rltune/alerts/instance.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/alerts.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "rltune/vault/vault.hpp"

namespace rltune::alerts {

struct EngineOptions {
  std::string site;
  Duration lookback = std::chrono::minutes(5);
  std::size_t series_max = 20'000;   // of all rules together
  std::size_t instances_max = 1000;  // pending and firing
  std::size_t outbox_max = 1000;
  vault::Vault vault;  // of who acknowledges, and why
};

struct EngineCounts {
  std::size_t series = 0, pending = 0, firing = 0, acknowledged = 0;  // now
  std::uint64_t series_left_out = 0;                                  // samples of series that found no room
  std::uint64_t instances_left_out = 0;                               // alerts that found none
  std::uint64_t notices = 0, notices_dropped = 0;                     // dropped: the oldest of a full outbox
};

// What of a log entry rules look at.
struct LogFacts {
  std::string_view service, message;
  log::Level level = log::Level::info;
};

class Engine {
 public:
  Engine(config::Alerts alerts, EngineOptions options, TimePoint now);
  Engine(Engine&&) noexcept;
  ~Engine();

  // Takes back what state() gave, of these rules or of others: what a rule that is gone had told is resolved.
  // Errors: corrupt: nothing of it is taken.
  Result<> restore(std::string_view state, TimePoint now);
  std::string state() const;

  // `at`: when it came. REQUIRES: not before what was taken and evaluated until now, or it counts as of then.
  void take(const telemetry::MetricSample& sample, TimePoint at);
  void take(const LogFacts& entry, TimePoint at);
  // Begins, ends and repeats alerts. True: something is new in the outbox or with an alert: keep the state.
  bool evaluate(TimePoint now);

  std::vector<Instance> instances() const;
  // By a person. `until`: a silence that ends by itself. Errors: not_found, invalid_argument: no name, an end in the
  // past.
  Result<Instance> acknowledge(const std::string& id, const std::string& who, const std::string& why,
                               std::optional<TimePoint> until, TimePoint now);

  // What is to be told, in order; it stays until told() says that it is, or that it never will be.
  const std::deque<Notice>& outbox() const noexcept;
  void told(std::uint64_t number);

  // Where the reading of both buffers goes on, kept with the state.
  std::uint64_t next_log = 0, next_metric = 0;

  EngineCounts counts() const;
  const config::Alerts& rules() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::alerts
