// How much something grew within a window of time: a counter by its samples, or entries one by one.
#pragma once

#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "rltune/base/time.hpp"

namespace rltune::alerts {

class Growth {
 public:
  using Part = std::pair<TimePoint, double>;
  static constexpr int kParts = 60;  // of a window; what grew within one of them is kept as one

  // A counter's sample: its growth since the one before, from zero where it was reset.
  void follow(double value, TimePoint at, Duration window) {
    if (!std::isfinite(value)) return;
    if (previous_ && value != *previous_) add(value < *previous_ ? value : value - *previous_, at, window);
    previous_ = value;
  }
  void add(double amount, TimePoint at, Duration window) {
    forget(at, window);
    if (!parts_.empty() && at - parts_.back().first < window / kParts)
      parts_.back().second += amount;
    else
      parts_.emplace_back(at, amount);
  }
  double within(Duration window, TimePoint now) {
    forget(now, window);
    double sum = 0.0;
    for (const Part& part : parts_) sum += part.second;
    return sum;
  }

  const std::deque<Part>& parts() const noexcept { return parts_; }
  const std::optional<double>& previous() const noexcept { return previous_; }
  void restore(std::optional<double> previous, std::deque<Part> parts) {
    previous_ = previous;
    parts_ = std::move(parts);
  }

 private:
  void forget(TimePoint now, Duration window) {
    while (!parts_.empty() && parts_.front().first + window <= now) parts_.pop_front();
  }
  std::optional<double> previous_;
  std::deque<Part> parts_;
};

}  // namespace rltune::alerts
