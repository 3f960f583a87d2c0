// The one session of the break-glass account: in memory alone, so that it needs no disk; an hour, never longer. A new
// one ends the one before, and so does a restart.
//
// Threads: any.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "rltune/base/id.hpp"
#include "rltune/base/time.hpp"

namespace rltune::gateway {

class EmergencySession {
 public:
  static constexpr std::chrono::seconds kLife = std::chrono::hours(1);

  std::string begin(TimePoint now) {
    const std::scoped_lock lock(mutex_);
    id_ = make_id(now);
    begun_ = now;
    return id_;
  }
  bool active(std::string_view id, TimePoint now) const {
    const std::scoped_lock lock(mutex_);
    return !id_.empty() && id == id_ && now >= begun_ && now - begun_ < kLife;
  }
  void end() {
    const std::scoped_lock lock(mutex_);
    id_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::string id_;
  TimePoint begun_{};
};

}  // namespace rltune::gateway
