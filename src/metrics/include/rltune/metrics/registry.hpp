// What a role counts and measures, for Prometheus: counters, gauges and histograms with names, help and labels.
// Names are of a family of the specification: rltune_process_data_..., data_health, agent_health,
// agent_performance, business_value; rltune_role_... and process_... is what every role tells of itself.
//
// Threads: add(), set() and observe() may be called from any thread: they are atomics that neither lock, allocate
//          nor throw. Naming one takes a lock and allocates: do it before the loop that counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/breaker.hpp"

namespace rltune::metrics {

static_assert(std::atomic<double>::is_always_lock_free);

// Of every store whose retention removes what is old, by {store}: decisions, audit, logs, checkpoints.
inline constexpr const char* kRemoved = "rltune_role_retention_removed_total";
inline constexpr const char* kRemovedHelp = "What retention removed: files, or checkpoints";

class Counter {
 public:
  void add(double amount = 1.0) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  // Of something that counts by itself: its count so far.
  void follow(double total) noexcept { value_.store(total, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

class Histogram {
 public:
  // `bounds`: upper edges, ascending; one more bucket takes the rest.
  explicit Histogram(std::span<const double> bounds);
  // A value that is not finite is left out.
  void observe(double value) noexcept;

  const std::vector<double>& bounds() const noexcept { return bounds_; }
  std::uint64_t bucket(std::size_t index) const noexcept { return counts_[index].load(std::memory_order_relaxed); }
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0.0};
};

// From 10 us to 10 s, in seconds.
std::span<const double> latency_bounds() noexcept;

struct Label {
  std::string name, value;
};
using Labels = std::vector<Label>;

// Of the way to whom a role needs, as Circuit last showed it.
struct CircuitState {
  std::string to, state;  // "io"; closed, on trial, open
  std::uint64_t openings = 0, failures = 0;
};

class Registry {
 public:
  // `role` as in the logs: "io", "agent.climate".
  explicit Registry(const std::string& role);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The one with this name and these labels, made at the first call; it lives as long as the registry.
  // REQUIRES: a family has one type, and names are letters, digits and _.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {},
                       std::span<const double> bounds = latency_bounds());

  // All of it in Prometheus' text format, version 0.0.4.
  std::string text() const;
  std::vector<CircuitState> circuits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The state of a breaker, as every role shows its own: rltune_role_circuit_*{to="io"}.
class Circuit {
 public:
  Circuit(Registry& registry, const std::string& to);
  void show(const Breaker::Figures& figures) noexcept;
  void show(const Breaker& breaker) noexcept { show(breaker.figures()); }

 private:
  Gauge& state_;
  Counter &openings_, &failures_;
};

// Into a message that has them: v1::HealthAnswer, v1::RolesAnswer.
template <typename Message>
void tell_circuits(const Registry& registry, Message& message) {
  for (const CircuitState& circuit : registry.circuits()) {
    auto& told = *message.add_circuits();
    told.set_to(circuit.to);
    told.set_state(circuit.state);
    told.set_openings(circuit.openings);
    told.set_failures(circuit.failures);
  }
}

}  // namespace rltune::metrics
