// How long a store keeps what it has. The store asks on its own thread, again and again: what it is told may change as
// it runs.
#pragma once

#include <functional>
#include <optional>

#include "rltune/base/time.hpp"

namespace rltune {

struct Keeping {
  std::function<Duration()> age;  // empty: for ever
  Duration every = std::chrono::seconds(10);
};

// When a store has to look for what is too old: at first, when the age is another, and every hour. Threads: one.
class KeepingWatch {
 public:
  explicit KeepingWatch(Keeping keeping) : keeping_(std::move(keeping)) {}

  bool on() const noexcept { return static_cast<bool>(keeping_.age); }
  Duration every() const noexcept { return keeping_.every; }
  // The age, when it is time to look. `now`: steady.
  std::optional<Duration> due(Duration now) {
    if (!on() || (ask_at_ && now < *ask_at_)) return std::nullopt;
    ask_at_ = now + keeping_.every;
    const Duration age = keeping_.age();
    if (age == age_ && now < look_at_) return std::nullopt;
    age_ = age;
    look_at_ = now + std::chrono::hours(1);
    return age;
  }

 private:
  Keeping keeping_;
  std::optional<Duration> ask_at_, age_;
  Duration look_at_{};
};

}  // namespace rltune
