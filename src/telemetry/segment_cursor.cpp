#include "segment_cursor.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

}  // namespace

Result<std::optional<Frame>> SegmentCursor::next() {
  while (true) {
    const Look seen = look(left(), salt_);
    if (seen.what == Look::What::frame) {
      at_ += seen.frame.bytes();
      return seen.frame;
    }
    // What begins here may only be known with more bytes.
    if (seen.what == Look::What::partial || left().size() < kFrameHeadBytes) {
      const auto more = read_more();
      if (!more) return std::unexpected(more.error());
      if (*more) continue;
      if (left().empty()) return std::nullopt;
    }
    clean_ = false;
    at_ += next_mark(left(), salt_);
  }
}

Result<bool> SegmentCursor::read_more() {
  offset_ += at_;
  window_.erase(0, at_);
  at_ = 0;
  const std::size_t kept = window_.size();
  window_.resize(kept + kReadBytes);
  const auto got = file_.read(offset_ + kept, std::span(window_).subspan(kept));
  window_.resize(kept + got.value_or(0));
  if (!got) return std::unexpected(got.error());
  return *got > 0;
}

}  // namespace rltune::telemetry
