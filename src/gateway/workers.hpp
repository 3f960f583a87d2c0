// Threads for what takes long: checking a password costs 0.1 s and 64 MiB, so few at once, and few that wait.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "rltune/base/scheduling.hpp"

namespace rltune::gateway {

class Workers {
 public:
  Workers(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
    const OrdinaryThreads while_starting;
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  // What waits is dropped.
  ~Workers() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    news_.notify_all();
  }

  // False: too many wait; nothing was taken.
  bool post(std::function<void()> work) {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() >= waiting_max_) return false;
      waiting_.push_back(std::move(work));
    }
    news_.notify_one();
    return true;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      news_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // last: they end before what they use goes
};

}  // namespace rltune::gateway
