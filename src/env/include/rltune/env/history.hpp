// What was seen before, as part of what is seen now: for plants that do not show their whole state. Frames are the rows
// of the last periods as they were; traces are decaying means of all rows so far,
//
//   trace <- rate trace + (1 - rate) row,
//
// which remember longer with a higher rate (Sutton & Barto 2018, section 17.3). An augmented row is
// [row][1 ago]...[frames-1 ago][trace 1][trace 2]..., and holds all the memory there is. At the start of an episode
// every frame and trace is the first row.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/env/environment.hpp"
#include "rltune/env/snapshot.hpp"

namespace rltune::env {

// Errors: invalid_argument: no frame, more than 64 of them, more than 8 traces, a rate outside (0, 1).
Result<> check_history(const HistoryOptions& options);

// The names say what a part is: "theta", "theta_1_ago", "theta_trace_0.9". REQUIRES: check_history().
Space with_history(const Space& base, const HistoryOptions& options);
ObservationLayout with_history(const ObservationLayout& base, const HistoryOptions& options);
// What with_history() was given. Errors: mismatch: it made no such layout.
Result<HistoryOptions> history_of(const ObservationLayout& layout);

// Threads: immutable. Memory: none after construction. REQUIRES of every row: base or augmented width.
class History {
 public:
  History(std::size_t base_width, const HistoryOptions& options);
  std::size_t base_width() const noexcept { return base_; }
  std::size_t width() const noexcept { return base_ * (frames_ + rates_.size()); }

  // The augmented row of an episode's first row.
  void begin(std::span<const float> base, std::span<float> row) const noexcept;
  // From the augmented row of the period before to that of this one, in place.
  void push(std::span<const float> base, std::span<float> row) const noexcept;

 private:
  std::size_t base_, frames_;
  std::vector<float> rates_;
};

// Any environment, seen with its history. REQUIRES: check_history().
std::unique_ptr<Environment> with_history(std::unique_ptr<Environment> inside, const HistoryOptions& options);

}  // namespace rltune::env
