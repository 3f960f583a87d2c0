// The answers that a Caller's calls got, by the number that the test gave each call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/bus/caller.hpp"

namespace rltune::bus {

class Answers {
 public:
  struct One {
    int times = 0;
    Result<std::string> result;
    Duration at{};
    std::thread::id thread;
  };

  explicit Answers(std::size_t calls) : answers_(calls) {}

  Caller::Answered taker(std::size_t i) {
    return [this, i](Result<std::string> result) {
      const std::scoped_lock lock(mutex_);
      One& one = answers_[i];
      ++one.times;
      one.result = std::move(result);
      one.at = WallClock().steady();
      one.thread = std::this_thread::get_id();
      ++count_;
      changed_.notify_all();
    };
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
  }
  bool wait_for_all() { return wait_for(answers_.size()); }
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return count_;
  }
  One operator[](std::size_t i) {
    const std::scoped_lock lock(mutex_);
    return answers_[i];
  }
  std::string code(std::size_t i) {
    const One one = (*this)[i];
    return one.times == 0 ? "none" : one.result ? "answered" : to_string(one.result.error().code);
  }
  std::size_t count_of(const std::string& code_wanted) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < answers_.size(); ++i) found += code(i) == code_wanted ? 1U : 0U;
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<One> answers_;
  std::size_t count_ = 0;
};

}  // namespace rltune::bus
