// Tells whether a heartbeat still changes. Pure: time is an argument, always the wall's steady clock.
#pragma once

#include <cstdint>
#include <optional>

#include "rltune/base/time.hpp"

namespace rltune::twin {

class Watchdog {
 public:
  // Whoever beats has `limit` from `now` on for the first one; a limit of zero never expires.
  Watchdog(Duration limit, Duration now) noexcept : limit_(limit), last_change_(now) {}

  // Only a changed value counts: a host that repeats one is hung.
  void beat(std::uint32_t value, Duration now) noexcept {
    if (value_ == value) return;
    value_ = value;
    last_change_ = now;
  }
  bool expired(Duration now) const noexcept { return limit_ > Duration::zero() && now - last_change_ >= limit_; }
  // When expired() turns true, if nothing changes before.
  Duration deadline() const noexcept { return limit_ > Duration::zero() ? last_change_ + limit_ : Duration::max(); }

 private:
  Duration limit_;
  Duration last_change_;
  std::optional<std::uint32_t> value_;
};

}  // namespace rltune::twin
