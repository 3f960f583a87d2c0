// The frames of one segment, in the order of its bytes; what is damaged is passed over.
#pragma once

#include <vector>

#include "frame.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

class SegmentCursor {
 public:
  SegmentCursor(StoredFile& file, std::uint64_t salt, std::uint64_t offset = kFramesAt)
      : file_(file), salt_(salt), offset_(offset) {}

  // None at the end. The payload is valid until the next call. Errors: io.
  Result<std::optional<Frame>> next();
  // Behind the last frame.
  std::uint64_t offset() const noexcept { return offset_ + at_; }
  // Nothing but whole frames so far.
  bool clean() const noexcept { return clean_; }

 private:
  Result<bool> read_more();  // false at the end of the file
  std::string_view left() const noexcept { return std::string_view(window_).substr(at_); }

  StoredFile& file_;
  std::uint64_t salt_;
  std::uint64_t offset_;  // of the window in the file
  std::string window_;
  std::size_t at_ = 0;  // in the window
  bool clean_ = true;
};

}  // namespace rltune::telemetry
