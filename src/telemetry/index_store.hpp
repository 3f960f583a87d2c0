// Indexes of segments: kept beside them, and made of them.
#pragma once

#include "rltune/telemetry/storage.hpp"
#include "segment_index.hpp"

namespace rltune::telemetry {

// Of a segment that has ended, and is so long now. None: there is none, or it is damaged, or of other bytes. Errors:
// io.
Result<std::optional<IndexHead>> load_index_head(Storage& storage, const SegmentHeader& segment, std::uint64_t bytes);
Result<std::optional<SegmentIndex>> load_index(Storage& storage, const SegmentHeader& segment, std::uint64_t bytes);
// In place of one that may be there. Errors: io, no_space, denied.
Result<> write_index(Storage& storage, const SegmentIndex& index);

// The index of a segment as far as it was read.
class GrowingIndex {
 public:
  explicit GrowingIndex(const SegmentHeader& segment) : segment_(segment), builder_(segment) {}
  const SegmentHeader& segment() const noexcept { return segment_; }
  std::uint64_t offset() const noexcept { return offset_; }

  // Reads on, to the record `last` where it is there. Errors: io, not_found.
  Result<> extend(Storage& storage, std::uint64_t last);
  const SegmentIndex& index() { return builder_.index(bytes_); }

 private:
  SegmentHeader segment_;
  IndexBuilder builder_;
  std::uint64_t offset_ = kFramesAt, bytes_ = 0;
};

}  // namespace rltune::telemetry
