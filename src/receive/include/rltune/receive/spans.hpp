// Which numbers were taken: spans that neither touch nor overlap.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

#include "rltune/telemetry/record_source.hpp"

namespace rltune::receive {

class Spans {
 public:
  void add(telemetry::SequenceRange span) {
    auto next = spans_.upper_bound(span.first);
    if (next != spans_.begin() && std::prev(next)->second + 1 >= span.first) --next;
    while (next != spans_.end() && next->first <= span.last + 1) {
      span = {std::min(span.first, next->first), std::max(span.last, next->second)};
      next = spans_.erase(next);
    }
    spans_.emplace(span.first, span.last);
  }
  bool has(std::uint64_t number) const {
    const auto next = spans_.upper_bound(number);
    return next != spans_.begin() && std::prev(next)->second >= number;
  }
  std::size_t size() const noexcept { return spans_.size(); }
  const std::map<std::uint64_t, std::uint64_t>& all() const noexcept { return spans_; }  // first -> last

 private:
  std::map<std::uint64_t, std::uint64_t> spans_;
};

}  // namespace rltune::receive
