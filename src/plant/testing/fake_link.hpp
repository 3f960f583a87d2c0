// A PlantLink without a plant: tests script what arrives and what fails, and see what was written.
//
// Threads: script functions and PlantLink functions belong to one thread, but for push(), fail_writes()
//          and set_state(), which may come from any.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmath>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rltune/plant/plant_link.hpp"

namespace rltune::plant {

class FakeLink final : public PlantLink {
 public:
  FakeLink() = default;
  ~FakeLink() override { ::close(descriptor_); }
  FakeLink(const FakeLink&) = delete;
  FakeLink& operator=(const FakeLink&) = delete;

  struct Write {
    std::uint32_t tag = 0;
    double value = 0.0;
  };

  // --- the script -----------------------------------------------------------------------------------
  // What open() answers from now on; nothing: success.
  void refuse_open(std::optional<Error> error) { open_error_ = std::move(error); }

  void push(const Sample& sample) {
    const std::lock_guard lock(mutex_);
    samples_.push_back(sample);
    const std::uint64_t one = 1;
    (void)!::write(descriptor_, &one, sizeof one);
  }
  void push(std::uint32_t tag, double value, TimePoint time, Quality quality = Quality::good) {
    push(Sample{.tag = tag, .value = value, .source_time = time, .received_time = time, .quality = quality});
  }
  // As an outage looks: every element of every tag turns bad, and the state changes.
  void lose(TimePoint time, LinkState state = LinkState::disconnected) {
    set_state(state, "scripted outage");
    for (std::uint32_t tag = 0; tag < tags_.size(); ++tag)
      for (std::uint32_t element = 0; element < tags_[tag].elements; ++element)
        push(Sample{.tag = tag,
                    .element = element,
                    .value = std::numeric_limits<double>::quiet_NaN(),
                    .source_time = time,
                    .received_time = time,
                    .status = kBadNoCommunication});
  }
  void restore() {
    {
      const std::lock_guard lock(mutex_);
      ++status_.reconnects;
    }
    set_state(LinkState::connected, {});
  }
  void set_state(LinkState state, std::string reason = {}) {
    const std::lock_guard lock(mutex_);
    status_.state = state;
    status_.reason = std::move(reason);
  }
  // The next `count` writes are refused with this status.
  void fail_writes(int count, std::uint32_t status = kBadNotWritable) {
    const std::lock_guard lock(mutex_);
    failing_writes_ = count;
    failing_status_ = status;
  }
  // What a read-back returns instead of the value written; nothing: the value itself.
  void read_back_as(std::optional<double> value) { read_back_ = value; }

  // --- what happened --------------------------------------------------------------------------------
  const std::vector<Write>& writes() const noexcept { return writes_; }
  std::optional<double> last_write(std::uint32_t tag) const {
    for (auto write = writes_.rbegin(); write != writes_.rend(); ++write)
      if (write->tag == tag) return write->value;
    return std::nullopt;
  }
  const std::vector<TagBinding>& tags() const noexcept { return tags_; }
  bool closed() const noexcept { return closed_; }

  // --- PlantLink ------------------------------------------------------------------------------------
  Result<> open(std::span<const TagBinding> tags) override {
    if (open_error_) return std::unexpected(*open_error_);
    tags_.assign(tags.begin(), tags.end());
    closed_ = false;
    set_state(LinkState::connected);
    return {};
  }

  void close() noexcept override {
    closed_ = true;
    const std::lock_guard lock(mutex_);
    status_.state = LinkState::disconnected;
  }

  std::size_t poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept override {
    pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, static_cast<int>(timeout.count()));
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (; count < out.size() && !samples_.empty(); ++count) {
      out[count] = samples_.front();
      samples_.pop_front();
    }
    std::uint64_t drained = 0;
    if (samples_.empty()) (void)!::read(descriptor_, &drained, sizeof drained);
    return count;
  }

  bool write(std::span<const std::uint32_t> tags, std::span<const double> values,
             std::span<WriteOutcome> outcomes) noexcept override {
    const std::lock_guard lock(mutex_);
    for (auto& outcome : outcomes) outcome = {};
    if (status_.state != LinkState::connected) return false;
    for (std::size_t i = 0; i < tags.size(); ++i) outcomes[i] = write_one(tags[i], values[i]);
    return true;
  }

  LinkStatus status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  int descriptor() const noexcept override { return descriptor_; }

  // OPC UA's codes for what a test refuses most often.
  static constexpr std::uint32_t kBadNoCommunication = 0x80310000;
  static constexpr std::uint32_t kBadNotWritable = 0x803B0000;
  static constexpr std::uint32_t kBadOutOfRange = 0x803C0000;

 private:
  WriteOutcome write_one(std::uint32_t tag, double value) {
    WriteOutcome outcome;
    if (tag >= tags_.size() || !tags_[tag].writable)
      outcome.status = kBadNotWritable;
    else if (!std::isfinite(value))
      outcome.status = kBadOutOfRange;
    else if (failing_writes_ > 0) {
      --failing_writes_;
      outcome.status = failing_status_;
    } else {
      writes_.push_back({tag, value});
      outcome.accepted = true;
      outcome.read_back = read_back_.value_or(value);
      outcome.verified = outcome.read_back == value;
    }
    if (!outcome.accepted) ++status_.writes_failed;
    return outcome;
  }

  mutable std::mutex mutex_;
  int descriptor_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::deque<Sample> samples_;
  std::vector<TagBinding> tags_;
  std::vector<Write> writes_;
  LinkStatus status_;
  std::optional<Error> open_error_;
  std::optional<double> read_back_;
  int failing_writes_ = 0;
  std::uint32_t failing_status_ = kBadNotWritable;
  bool closed_ = false;
};

}  // namespace rltune::plant
