// What a query asks of an entry, of a block and of a segment.
#pragma once

#include "entry_text.hpp"
#include "rltune/telemetry/log_search.hpp"
#include "segment_index.hpp"

namespace rltune::telemetry {

// A text looked for in others, A to Z in either case (Horspool 1980, doi 10.1002/spe.4380100608).
class FoldedText {
 public:
  explicit FoldedText(std::string_view wanted);
  bool is_in(std::string_view text) const noexcept;

 private:
  std::string wanted_;
  std::array<std::size_t, 256> steps_{};
};

class LogMatcher {
 public:
  explicit LogMatcher(const LogQuery& query);

  bool meets(const TimeRange& times) const noexcept { return !timed_ || times_.meets(times); }
  bool may_be_in(const SegmentIndex& index, const IndexBlock& block) const noexcept;
  bool matches(std::string_view payload) const;

 private:
  bool has_text(const EntryText& entry) const;

  const LogQuery& query_;
  bool timed_;
  TimeRange times_;
  IdHash id_;
  std::uint8_t levels_;
  FoldedText text_;
};

}  // namespace rltune::telemetry
