// Messages about what the site recorded: its tags, their samples and rollups, in pages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::uint64_t kPageDefault = 1'000, kPageMax = 10'000;
inline constexpr std::size_t kCursorBytesMax = 400;
inline constexpr std::size_t kPageEntriesMax = 100'000;  // a page ends with whole instants of array tags
inline constexpr std::array<std::string_view, 3> kResolutions{"minute", "five_minutes", "hour"};
inline constexpr std::array<std::string_view, 3> kQualities{"good", "uncertain", "bad"};

// What every question about a stretch of time takes.
struct PageQuery {
  std::optional<TimePoint> from, to;
  std::optional<std::uint64_t> limit;
  std::optional<std::string> cursor;
};
template <typename Visitor>
void describe_page(Visitor& v, PageQuery& page) {
  v.field("from", page.from, {.note = "the first instant; an hour before `to` where it is left out"});
  v.field("to", page.to, {.note = "the first instant that is not meant; now where it is left out"});
  v.field("limit", page.limit, {.note = "entries a page; 1000 where it is left out", .low = 1, .high = kPageMax});
  v.field("cursor", page.cursor,
          {.note = "`next` of the page before; `from` and `to` are those of the first page then",
           .length_max = kCursorBytesMax});
}

struct SamplesQuery {
  PageQuery page;
};
template <typename Visitor>
void describe(Visitor& v, SamplesQuery& query) {
  describe_page(v, query.page);
}

struct RollupsQuery {
  std::string resolution;
  PageQuery page;
};
template <typename Visitor>
void describe(Visitor& v, RollupsQuery& query) {
  v.field("resolution", query.resolution, {.note = "how long each of them is", .words = kResolutions});
  describe_page(v, query.page);
}

struct SampleInfo {
  static constexpr std::string_view kSchema = "Sample";
  TimePoint time{};
  std::uint64_t element = 0;
  std::optional<double> value;
  std::string quality;
};
template <typename Visitor>
void describe(Visitor& v, SampleInfo& sample) {
  v.field("time", sample.time, {.note = "when it was measured, by the plant's clock"});
  v.field("element", sample.element, {.note = "of an array; 0 of a scalar"});
  v.field("value", sample.value, {.note = "in the tag's unit; missing: none was measured"});
  v.field("quality", sample.quality, {.note = "as the plant says", .words = kQualities});
}

struct TagInfo {
  static constexpr std::string_view kSchema = "Tag";
  std::string name, role, unit;
  std::uint64_t elements = 1;
  bool writable = false;
  std::optional<double> low, high;
  std::vector<SampleInfo> latest;
};
template <typename Visitor>
void describe(Visitor& v, TagInfo& tag) {
  v.field("name", tag.name, {.note = "as in site.yaml"});
  v.field("role", tag.role, {.note = "measurement, exogenous, forecast, setpoint, mode, heartbeat or clock"});
  v.field("unit", tag.unit, {.note = "empty: it has none"});
  v.field("elements", tag.elements, {.note = "more than 1: an array"});
  v.field("writable", tag.writable, {.note = "a set-point"});
  v.field("low", tag.low, {.note = "of a set-point the guard's lower limit, of others the end of their range"});
  v.field("high", tag.high, {.note = "the same, above"});
  v.field("latest", tag.latest, {.note = "every element that has a value; empty: nothing came yet"});
}

struct TagList {
  static constexpr std::string_view kSchema = "TagList";
  std::vector<TagInfo> tags;
};
template <typename Visitor>
void describe(Visitor& v, TagList& list) {
  v.field("tags", list.tags, {.note = "of the site's configuration, in its order", .length_max = kPageEntriesMax});
}

struct SampleList {
  static constexpr std::string_view kSchema = "SampleList";
  std::string tag;
  std::vector<SampleInfo> samples;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, SampleList& list) {
  v.field("tag", list.tag, {.note = "whose they are"});
  v.field("samples", list.samples, {.note = "ascending by time and element", .length_max = kPageEntriesMax});
  v.field("next", list.next, {.note = "the cursor of what follows; missing: nothing does"});
}

struct RollupInfo {
  static constexpr std::string_view kSchema = "Rollup";
  TimePoint start{};
  std::optional<double> minimum, maximum, mean, last;
  std::uint64_t count = 0, bad = 0;
};
template <typename Visitor>
void describe(Visitor& v, RollupInfo& rollup) {
  v.field("start", rollup.start, {.note = "of the stretch that it sums up"});
  v.field("minimum", rollup.minimum, {.note = "of the good samples; missing: there was none"});
  v.field("maximum", rollup.maximum, {.note = "of the good samples"});
  v.field("mean", rollup.mean, {.note = "of the good samples, each counted the same"});
  v.field("last", rollup.last, {.note = "good sample"});
  v.field("count", rollup.count, {.note = "good samples"});
  v.field("bad", rollup.bad, {.note = "uncertain and bad ones, left out of the figures"});
}

struct RollupList {
  static constexpr std::string_view kSchema = "RollupList";
  std::string tag, resolution;
  std::vector<RollupInfo> rollups;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, RollupList& list) {
  v.field("tag", list.tag, {.note = "whose they are"});
  v.field("resolution", list.resolution, {.note = "as it was asked for", .words = kResolutions});
  v.field("rollups", list.rollups, {.note = "ascending by time, of element 0", .length_max = kPageEntriesMax});
  v.field("next", list.next, {.note = "the cursor of what follows; missing: nothing does"});
}

}  // namespace rltune::api
