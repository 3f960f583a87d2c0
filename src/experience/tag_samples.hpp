// The samples of one tag in the order of time, a page in memory at once.
#pragma once

#include <string>
#include <vector>

#include "rltune/historian/historian.hpp"

namespace rltune::experience {

class TagSamples {
 public:
  TagSamples(const historian::Historian& historian, std::string tag, TimePoint from, TimePoint to)
      : historian_(&historian), tag_(std::move(tag)), from_(from), to_(to) {}

  // The next one; nullptr behind the last. Errors: those of the historian.
  Result<const Sample*> peek() {
    if (at_ == page_.size() && !ended_) {
      auto page = historian_->samples(tag_, from_, to_, kPage);
      if (!page) return std::unexpected(page.error());
      page_ = std::move(*page);
      at_ = 0;
      ended_ = page_.empty();
      if (!ended_) from_ = page_.back().source_time + Duration(1);
    }
    return at_ < page_.size() ? &page_[at_] : nullptr;
  }
  void pop() noexcept { ++at_; }

 private:
  static constexpr std::size_t kPage = 4096;

  const historian::Historian* historian_;
  std::string tag_;
  TimePoint from_, to_;
  std::vector<Sample> page_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

}  // namespace rltune::experience
