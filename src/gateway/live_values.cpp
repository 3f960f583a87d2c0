#include "live_values.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "rltune/base/sample.hpp"
#include "rltune/v1/control.pb.h"

namespace rltune::gateway {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

std::string_view word_of(std::uint32_t quality) {
  if (quality == static_cast<std::uint32_t>(Quality::good)) return "good";
  return quality == static_cast<std::uint32_t>(Quality::uncertain) ? "uncertain" : "bad";
}

template <typename Number>
void append_number(std::string& text, Number number) {
  std::array<char, 32> digits{};
  const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

}  // namespace

LiveValues::LiveValues(const std::vector<LiveTag>& tags) {
  for (const LiveTag& tag : tags) {
    tags_.emplace(tag.name, static_cast<std::uint32_t>(first_of_tag_.size()));
    first_of_tag_.push_back(static_cast<std::uint32_t>(values_.size()));
    for (std::size_t i = 0; i < tag.elements; ++i)
      values_.push_back({.name = tag.elements == 1 ? tag.name : tag.name + "[" + std::to_string(i) + "]"});
  }
  first_of_tag_.push_back(static_cast<std::uint32_t>(values_.size()));
}

std::vector<std::uint32_t> LiveValues::places_of(std::string_view name) const {
  std::vector<std::uint32_t> places;
  const auto tag = tags_.find(name);
  if (tag == tags_.end()) return places;
  for (std::uint32_t place = first_of_tag_[tag->second]; place < first_of_tag_[tag->second + 1]; ++place)
    places.push_back(place);
  return places;
}

void LiveValues::take(const v1::SampleBatch& batch) {
  for (const v1::Sample& sample : batch.samples()) {
    if (sample.tag() >= first_of_tag_.size() - 1) continue;
    const std::uint32_t first = first_of_tag_[sample.tag()], end = first_of_tag_[sample.tag() + 1];
    if (sample.element() >= end - first) continue;
    Value& value = values_[first + sample.element()];
    // Asked for again, or out of order: nothing new.
    if (value.frame != 0 && sample.source_unix_ns() < value.unix_ns) continue;
    if (value.frame != 0 && sample.source_unix_ns() == value.unix_ns && sample.quality() == value.quality) continue;
    value.value = sample.value();
    value.quality = sample.quality();
    value.unix_ns = sample.source_unix_ns();
    value.frame = frame_ + 1;
    any_ = true;
  }
}

std::optional<std::uint64_t> LiveValues::end_frame() {
  if (!any_) return std::nullopt;
  any_ = false;
  return ++frame_;
}

// Names are letters, digits and '_' (config/site.hpp): nothing to escape.
void LiveValues::append(std::string& text, const Value& value) const {
  text += '"';
  text += value.name;
  text += "\":[";
  if (std::isfinite(value.value))
    append_number(text, value.value);
  else
    text += "null";
  text += ",\"";
  text += word_of(value.quality);
  text += "\",";
  append_number(text, value.unix_ns / kNsPerMs);
  text += ']';
}

std::string LiveValues::text(const std::vector<std::uint32_t>& places, std::uint64_t since,
                             std::string_view epoch) const {
  std::string text;
  for (const std::uint32_t place : places) {
    const Value& value = values_[place];
    if (value.frame <= since || value.frame > frame_) continue;
    if (text.empty()) {
      text.reserve(64 + 48 * places.size());
      text += "{\"epoch\":\"";
      text += epoch;
      text += "\",\"frame\":";
      append_number(text, frame_);
      text += ",\"values\":{";
    } else {
      text += ',';
    }
    append(text, value);
  }
  if (!text.empty()) text += "}}";
  return text;
}

}  // namespace rltune::gateway
