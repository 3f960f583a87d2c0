// The lines of the log of one message, for as long as it lives.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "rltune/base/log.hpp"

namespace rltune::log {

class HeardLines final : public Listener {
 public:
  using Fields = std::map<std::string, std::string>;

  explicit HeardLines(std::string message) : message_(std::move(message)) { listen(this); }
  ~HeardLines() override { listen(nullptr); }
  HeardLines(const HeardLines&) = delete;
  HeardLines& operator=(const HeardLines&) = delete;

  void hear(const Line& line) noexcept override {
    if (line.message != message_) return;
    Fields fields{{"correlation_id", std::string(line.correlation_id)}};
    for (const Field& field : line.fields) fields[std::string(field.name)] = field.value;
    const std::scoped_lock lock(mutex_);
    heard_.push_back(std::move(fields));
    news_.notify_all();
  }
  // As soon as there are so many: a line is written after its answer went out.
  std::vector<Fields> first(std::size_t count) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, std::chrono::seconds(10), [&] { return heard_.size() >= count; });
    return heard_;
  }

 private:
  const std::string message_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<Fields> heard_;
};

}  // namespace rltune::log
