// The latest value of each tag, and in which frame it came; what a client is sent is made from that.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "live.hpp"
#include "rltune/base/time.hpp"

namespace rltune::gateway {

class LiveValues {
 public:
  explicit LiveValues(const std::vector<LiveTag>& tags);

  // Places of a tag's elements; empty: there is no such tag.
  std::vector<std::uint32_t> places_of(std::string_view name) const;
  std::size_t size() const noexcept { return values_.size(); }

  // In the frame under way. A tag or element that there is not is passed by.
  void take(const v1::SampleBatch& batch);
  // The frame under way is done: its number. nullopt: nothing came.
  std::optional<std::uint64_t> end_frame();
  std::uint64_t frame() const noexcept { return frame_; }

  // A frame's text of what changed after the frame `since`; empty: nothing did.
  std::string text(const std::vector<std::uint32_t>& places, std::uint64_t since, std::string_view epoch) const;

 private:
  struct Value {
    std::string name;
    double value = 0.0;
    std::uint32_t quality = 0;
    std::int64_t unix_ns = 0;
    std::uint64_t frame = 0;  // 0: none came
  };
  void append(std::string& text, const Value& value) const;

  std::vector<Value> values_;
  std::vector<std::uint32_t> first_of_tag_;  // and one more
  std::map<std::string, std::uint32_t, std::less<>> tags_;
  std::uint64_t frame_ = 0;
  bool any_ = false;
};

}  // namespace rltune::gateway
