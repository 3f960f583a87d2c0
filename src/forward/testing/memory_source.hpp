// Records in memory, for forwarders to read: some may be lost, or removed from the beginning.
//
// Threads: any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "rltune/telemetry/record_source.hpp"

namespace rltune::forward {

inline const std::string kBuffer = "0198e0f2-1111-7abc-8def-0123456789ab";  // the id of a buffer

class MemorySource final : public telemetry::RecordSource {
 public:
  // Numbered from 1 on.
  void add(std::vector<std::string> payloads) {
    const std::scoped_lock lock(mutex_);
    for (std::string& payload : payloads) payloads_.push_back(std::move(payload));
  }
  void lose(std::uint64_t sequence) {
    const std::scoped_lock lock(mutex_);
    lost_.insert(sequence);
  }
  void remove_before(std::uint64_t sequence) {
    const std::scoped_lock lock(mutex_);
    floor_ = sequence;
  }
  int reads() const {
    const std::scoped_lock lock(mutex_);
    return reads_;
  }
  // How often somebody asked where it ends.
  int looks() const {
    const std::scoped_lock lock(mutex_);
    return looks_;
  }

  Result<telemetry::StoredBatch> read(std::uint64_t from, std::size_t bytes_max) override {
    const std::scoped_lock lock(mutex_);
    ++reads_;
    telemetry::StoredBatch batch;
    std::size_t bytes = 0;
    batch.next = std::max(from, floor_);
    for (; batch.next <= payloads_.size(); ++batch.next) {
      const std::string& payload = payloads_[batch.next - 1];
      if (lost_.contains(batch.next)) {
        batch.lost.push_back({batch.next, batch.next});
        continue;
      }
      if (!batch.records.empty() && bytes + payload.size() > bytes_max) break;
      bytes += payload.size();
      batch.records.push_back({batch.next, static_cast<std::int64_t>(batch.next) * 1'000'000'000, payload});
    }
    return batch;
  }
  std::uint64_t floor() const override {
    const std::scoped_lock lock(mutex_);
    return floor_;
  }
  std::uint64_t acknowledged() const override {
    const std::scoped_lock lock(mutex_);
    ++looks_;
    return payloads_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> payloads_;
  std::set<std::uint64_t> lost_;
  std::uint64_t floor_ = 1;
  int reads_ = 0;
  mutable int looks_ = 0;
};

}  // namespace rltune::forward
