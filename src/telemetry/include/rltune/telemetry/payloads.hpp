// Payloads of records, one behind the other in one piece of memory: an allocation for all of them, not for each.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rltune::telemetry {

class Payloads {
 public:
  Payloads() = default;
  Payloads(std::initializer_list<std::string_view> payloads) {
    for (const std::string_view payload : payloads) add(payload);
  }

  void add(std::string_view payload) {
    bytes_ += payload;
    end_one();
  }
  // For who writes a payload in its place: what was appended since the last end is one, or is taken back.
  std::string& bytes() noexcept { return bytes_; }
  void end_one() { ends_.push_back(bytes_.size()); }
  void take_back() { bytes_.resize(begin_of(size())); }
  std::size_t open_size() const noexcept { return bytes_.size() - begin_of(size()); }

  std::size_t size() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  std::size_t byte_size() const noexcept { return begin_of(size()); }
  // Valid until something is added.
  std::string_view operator[](std::size_t index) const noexcept {
    return std::string_view(bytes_).substr(begin_of(index), ends_[index] - begin_of(index));
  }
  bool operator==(const Payloads&) const = default;
  void clear() noexcept {
    bytes_.clear();
    ends_.clear();
  }

 private:
  std::size_t begin_of(std::size_t index) const noexcept { return index == 0 ? 0 : ends_[index - 1]; }

  std::string bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace rltune::telemetry
