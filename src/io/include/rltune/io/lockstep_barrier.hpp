// Tells when every tag of one step of the plant's clock has arrived. The twin writes its step counter last;
// the step's instant is the counter's source time, and it is complete when every tag that the plant
// publishes carries that source time or a later one. The first one waits for every set-point besides.
//
// Threads: belongs to one loop. Memory: the constructor allocates, add() does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/config/site.hpp"

namespace rltune::io {

class LockstepBarrier {
 public:
  LockstepBarrier() = default;
  // For a site without a plant clock it never completes.
  explicit LockstepBarrier(const config::Site& site);

  // True once a step, with the sample that completes it.
  bool add(const Sample& sample) noexcept;
  TimePoint time() const noexcept { return step_time_; }  // of the last complete step
  std::int64_t step() const noexcept { return step_; }    // its number; -1 before the first

 private:
  void update(std::size_t index, TimePoint time) noexcept;
  bool completed() noexcept;

  bool enabled_ = false;
  std::size_t step_tag_ = 0;
  std::vector<std::size_t> first_;     // by tag: its first index in times_, or none
  std::vector<std::size_t> elements_;  // by tag
  std::vector<bool> once_;             // by tag: it is a set-point, whose age does not matter
  std::vector<TimePoint> times_;       // by awaited element
  std::int64_t newest_step_ = -1, step_ = -1;
  TimePoint newest_time_{}, step_time_{};
  std::size_t behind_ = 0;  // elements older than newest_time_
};

}  // namespace rltune::io
