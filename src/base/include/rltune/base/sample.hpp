// One value of one tag at one time: what moves from the plant to the historian, the guard and the agents.
#pragma once

#include <cstdint>

#include "rltune/base/time.hpp"

namespace rltune {

// OPC UA's three-way quality (Part 8). Uncertain counts as bad unless a tag's configuration says otherwise.
enum class Quality : std::uint8_t { good, uncertain, bad };

struct Sample {
  std::uint32_t tag = 0;      // index into the site's tag list
  std::uint32_t element = 0;  // index inside an array tag; 0 for a scalar
  double value = 0.0;         // the tag's unit; NaN only with Quality::bad
  TimePoint source_time{};    // the plant's clock: when it was measured
  TimePoint received_time{};  // our clock: when it reached us
  Quality quality = Quality::bad;
  std::uint32_t status = 0;  // the protocol's own status code, 0 is good
};

}  // namespace rltune
