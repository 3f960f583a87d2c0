// The instances of one agent: several versions may run beside each other, and the proposals of exactly one are written.
// Which one is coredinator's word, with an epoch that grows with every change; an older word is refused, so that what
// was sent before a switch cannot undo it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/io/latency.hpp"

namespace rltune::io {

// Rewards of one period after the other, as means over ten each.
class RewardMoments {
 public:
  void add(double reward) noexcept;
  std::uint64_t batches() const noexcept { return batches_; }
  double mean() const noexcept { return mean_; }
  double squares() const noexcept { return squares_; }  // of the deviations from the mean, summed

 private:
  static constexpr int kBatch = 10;
  int in_batch_ = 0;
  double sum_ = 0.0;  // of the batch
  std::uint64_t batches_ = 0;
  double mean_ = 0.0, squares_ = 0.0;
};

class InstanceTable {
 public:
  struct Instance {
    std::string name;  // of the role: "agent.climate@1.2.0"
    bool attached = false;
    bool validated = false;
    std::string policy_sha256;
    std::uint64_t proposals = 0, faults = 0, interventions = 0;
    LatencyHistogram latency;  // observation to proposal
    Duration heard{};          // steady
    std::vector<double> last;  // that it proposed, by output
    RewardMoments reward;      // of the periods that it was in charge of
  };

  InstanceTable() = default;
  // Until coredinator says otherwise the agent's own role is active.
  explicit InstanceTable(const std::string& agent);

  // Attaches it, anew if it was. The oldest that nobody hears of goes where there are too many.
  Instance& attach(const std::string& name, Duration now);
  Instance* find(const std::string& name);
  // The role that a message without a name comes from.
  const std::string& name_or_default(const std::string& name) const { return name.empty() ? own_ : name; }

  // Errors: denied: the epoch is over.
  Result<> activate(const std::string& name, std::uint64_t epoch);
  const std::string& active() const noexcept { return active_; }
  std::uint64_t epoch() const noexcept { return epoch_; }
  bool is_active(const Instance& instance) const noexcept { return instance.name == active_; }
  // Of the active one.
  bool attached() const noexcept;
  bool validated() const noexcept;
  const std::map<std::string, Instance>& all() const noexcept { return instances_; }

 private:
  const Instance* active_instance() const noexcept;
  void make_room();

  std::string own_, active_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, Instance> instances_;
};

}  // namespace rltune::io
