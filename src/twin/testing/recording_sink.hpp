// A TagSink that remembers what was announced, in order.
#pragma once

#include <vector>

#include "rltune/twin/tag.hpp"

namespace rltune::twin::testing {

class RecordingSink final : public TagSink {
 public:
  void publish(std::size_t tag) override { published.push_back(tag); }
  std::vector<std::size_t> published;
};

}  // namespace rltune::twin::testing
