// The bounded queue between a link's protocol thread and its caller. When it is full the oldest sample goes:
// a controller wants the newest.
//
// Threads: push() from one, pop() from another. descriptor() is readable while samples wait.
// Memory:  the constructor and reset() allocate. Internal.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <span>
#include <vector>

#include "rltune/base/sample.hpp"

namespace rltune::plant {

class SampleQueue {
 public:
  explicit SampleQueue(std::size_t capacity) : ring_(capacity) {}
  ~SampleQueue() { ::close(descriptor_); }
  SampleQueue(const SampleQueue&) = delete;
  SampleQueue& operator=(const SampleQueue&) = delete;

  // Returns how many old samples were dropped to make room.
  std::size_t push(std::span<const Sample> samples) noexcept {
    const std::lock_guard lock(mutex_);
    std::size_t dropped = 0;
    for (const auto& sample : samples) {
      if (count_ == ring_.size()) {
        first_ = (first_ + 1) % ring_.size();
        --count_;
        ++dropped;
      }
      ring_[(first_ + count_++) % ring_.size()] = sample;
    }
    if (!samples.empty()) signal();
    return dropped;
  }

  std::size_t pop(std::span<Sample> out) noexcept {
    const std::lock_guard lock(mutex_);
    std::size_t taken = 0;
    for (; taken < out.size() && count_ > 0; ++taken, --count_) {
      out[taken] = ring_[first_];
      first_ = (first_ + 1) % ring_.size();
    }
    std::uint64_t ignored = 0;
    if (count_ == 0) (void)!::read(descriptor_, &ignored, sizeof ignored);
    return taken;
  }

  // Less than half full: what can wait may come.
  bool has_room() const noexcept {
    const std::lock_guard lock(mutex_);
    return 2 * count_ < ring_.size();
  }

  void wait(std::chrono::milliseconds timeout) const noexcept {
    pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 3'600'000)));
  }

  // Empties the queue and gives it another size. Allocates.
  void reset(std::size_t capacity) {
    const std::lock_guard lock(mutex_);
    ring_.resize(capacity);
    first_ = 0;
    count_ = 0;
    std::uint64_t ignored = 0;
    (void)!::read(descriptor_, &ignored, sizeof ignored);
  }

  int descriptor() const noexcept { return descriptor_; }

 private:
  void signal() const noexcept {
    const std::uint64_t one = 1;
    (void)!::write(descriptor_, &one, sizeof one);
  }

  mutable std::mutex mutex_;
  std::vector<Sample> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  const int descriptor_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};

}  // namespace rltune::plant
