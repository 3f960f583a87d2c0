// What readers may see of a buffer, told by who writes it.
//
// Threads: any. The lock is held for the copy of a pointer and two numbers, never while a disk is waited for.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "frame.hpp"

namespace rltune::telemetry {

// The state of one moment. Files in it that are not there any more are below the floor of a later one.
struct View {
  std::shared_ptr<const std::vector<SegmentHeader>> segments = std::make_shared<std::vector<SegmentHeader>>();
  std::uint64_t acknowledged = 0, floor = 1;

  // The last record of the segment at this place of the list.
  std::uint64_t end_of(std::size_t segment) const noexcept {
    return segment + 1 < segments->size() ? std::min((*segments)[segment + 1].first - 1, acknowledged) : acknowledged;
  }
  // The first segment that ends at `sequence` or behind it; the list's size where none does.
  std::size_t segment_with(std::uint64_t sequence) const noexcept {
    if (segments->empty() || sequence > acknowledged) return segments->size();
    const auto behind = std::ranges::upper_bound(*segments, sequence, {}, &SegmentHeader::first);
    const auto place = static_cast<std::size_t>(behind - segments->begin());
    return place == 0 ? 0 : place - 1;
  }
};

class Published {
 public:
  View view() const {
    const std::scoped_lock lock(mutex_);
    return view_;
  }
  void tell(View view) {
    bool changed = false;
    {
      const std::scoped_lock lock(mutex_);
      changed = view.segments != view_.segments;
      std::swap(view_, view);
    }
    if (changed) segments_changed_.notify_all();
  }
  // Waits until there are other segments than those, or it is to stop.
  View wait_for_other(const View& than, const std::stop_token& stop) const {
    std::unique_lock lock(mutex_);
    segments_changed_.wait(lock, stop, [&] { return view_.segments != than.segments; });
    return view_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any segments_changed_;
  View view_;
};

}  // namespace rltune::telemetry
