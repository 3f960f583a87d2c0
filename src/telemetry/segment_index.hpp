// Which parts of a segment of logs a search may pass over. docs/formats/telemetry-index.md
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frame.hpp"

namespace rltune::telemetry {

// Of the timestamps that entries bear, both included.
struct TimeRange {
  std::int64_t first_ns = std::numeric_limits<std::int64_t>::max(), last_ns = std::numeric_limits<std::int64_t>::min();
  void add(std::int64_t unix_ns) noexcept {
    first_ns = std::min(first_ns, unix_ns);
    last_ns = std::max(last_ns, unix_ns);
  }
  bool meets(const TimeRange& other) const noexcept { return first_ns <= other.last_ns && other.first_ns <= last_ns; }
  bool operator==(const TimeRange&) const = default;
};

// Bits of an id, by which it is put into a filter and looked for in one.
struct IdHash {
  explicit IdHash(std::string_view id) noexcept;
  std::uint64_t a, b;
};

struct IndexBlock {
  std::uint64_t offset = 0, first = 0;
  TimeRange times;
  std::uint64_t services = 0;
  std::uint8_t levels = 0;
  std::string ids;  // the filter

  bool may_have(const IdHash& id) const noexcept;
  bool operator==(const IndexBlock&) const = default;
};

struct SegmentIndex {
  std::uint64_t salt = 0, number = 0, bytes = 0;
  TimeRange times;
  std::vector<std::string> services;
  std::vector<IndexBlock> blocks;

  // The bits that blocks with this service have.
  std::uint64_t bits_of(std::string_view service) const noexcept;
  bool operator==(const SegmentIndex&) const = default;
};

inline constexpr std::size_t kIndexHeadBytes = 56, kServicesMax = 63;
std::string encode_index(const SegmentIndex& index);
// Outside bytes: whatever they are. The head alone says what segment it is of, and what times.
struct IndexHead {
  std::uint64_t salt = 0, number = 0, bytes = 0;
  TimeRange times;
  std::uint32_t body_bytes = 0;
};
std::optional<IndexHead> decode_index_head(std::string_view bytes);
std::optional<SegmentIndex> decode_index(std::string_view bytes);

// Takes frames in the order of the segment.
class IndexBuilder {
 public:
  explicit IndexBuilder(const SegmentHeader& header);
  void add(std::uint64_t offset, const Frame& frame);
  // Of what was added so far. It may go on.
  const SegmentIndex& index(std::uint64_t segment_bytes);

 private:
  void close_block();
  std::uint64_t bit_of(std::string_view service);

  SegmentIndex index_;
  std::vector<IdHash> ids_;  // of the last block
  bool open_ = false;        // the last block's filter is not made
};

}  // namespace rltune::telemetry
