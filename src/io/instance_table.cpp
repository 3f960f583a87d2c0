#include "rltune/io/instance_table.hpp"

#include <algorithm>
#include <format>

namespace rltune::io {
namespace {

constexpr std::size_t kInstancesMax = 8;

}  // namespace

// Welford's update.
void RewardMoments::add(double reward) noexcept {
  sum_ += reward;
  if (++in_batch_ < kBatch) return;
  const double value = sum_ / kBatch;
  in_batch_ = 0;
  sum_ = 0.0;
  ++batches_;
  const double before = value - mean_;
  mean_ += before / static_cast<double>(batches_);
  squares_ += before * (value - mean_);
}

InstanceTable::InstanceTable(const std::string& agent) : own_("agent." + agent), active_(own_) {}

InstanceTable::Instance& InstanceTable::attach(const std::string& name, Duration now) {
  if (!instances_.contains(name)) make_room();
  Instance& instance = instances_[name];
  instance.name = name;
  instance.attached = true;
  instance.heard = now;
  return instance;
}

void InstanceTable::make_room() {
  if (instances_.size() < kInstancesMax) return;
  auto oldest = instances_.end();
  for (auto entry = instances_.begin(); entry != instances_.end(); ++entry)
    if (entry->first != active_ && (oldest == instances_.end() || entry->second.heard < oldest->second.heard))
      oldest = entry;
  if (oldest != instances_.end()) instances_.erase(oldest);
}

InstanceTable::Instance* InstanceTable::find(const std::string& name) {
  const auto found = instances_.find(name);
  return found == instances_.end() ? nullptr : &found->second;
}

Result<> InstanceTable::activate(const std::string& name, std::uint64_t epoch) {
  if (epoch < epoch_ || (epoch == epoch_ && name != active_))
    return fail(Errc::denied, std::format("epoch {} is over: {} is active since epoch {}", epoch, active_, epoch_));
  active_ = name;
  epoch_ = epoch;
  return {};
}

const InstanceTable::Instance* InstanceTable::active_instance() const noexcept {
  const auto found = instances_.find(active_);
  return found == instances_.end() ? nullptr : &found->second;
}

bool InstanceTable::attached() const noexcept {
  const Instance* instance = active_instance();
  return instance != nullptr && instance->attached;
}

bool InstanceTable::validated() const noexcept {
  const Instance* instance = active_instance();
  return instance != nullptr && instance->validated;
}

}  // namespace rltune::io
