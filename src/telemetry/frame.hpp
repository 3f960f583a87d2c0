// The bytes of a segment: headers and frames. docs/formats/telemetry-buffer.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rltune::telemetry {

inline constexpr std::size_t kHeaderBytes = 48, kSecondHeaderAt = 64, kFramesAt = 128, kFrameHeadBytes = 32;
inline constexpr std::size_t kPayloadMax = std::size_t{1} << 20U;

struct SegmentHeader {
  std::uint64_t salt = 0, number = 0, first = 0;
  std::int64_t begun_unix_ns = 0;
};

// Both copies and what lies between: kFramesAt bytes.
std::string encode_headers(const SegmentHeader& header);
// From whichever copy is whole.
std::optional<SegmentHeader> decode_headers(std::string_view bytes);

struct Frame {
  std::uint64_t sequence = 0;
  std::int64_t unix_ns = 0;
  std::string_view payload;
  std::size_t bytes() const noexcept { return kFrameHeadBytes + payload.size(); }
};

// REQUIRES: payload of at most kPayloadMax bytes.
void append_frame(std::string& to, std::uint64_t salt, const Frame& frame);

struct Look {
  enum class What {
    frame,    // a whole one, at the beginning of the bytes
    partial,  // the beginning of one: more bytes may make it whole
    nothing   // none begins here
  };
  What what = What::nothing;
  Frame frame;
};
// What the bytes begin with.
Look look(std::string_view bytes, std::uint64_t salt) noexcept;

// Where a frame may begin, after the first byte; at the earliest the last three bytes.
std::size_t next_mark(std::string_view bytes, std::uint64_t salt) noexcept;

struct Watermark {
  std::uint64_t count = 0, acknowledged = 0, floor = 1;
};
// Three numbers behind eight bytes that say what they are, and a checksum: what is written in turn to two slots.
inline constexpr std::size_t kSlotBytes = 36, kSecondSlotAt = 4096;
std::string encode_numbers(std::string_view magic, const std::array<std::uint64_t, 3>& numbers);
std::optional<std::array<std::uint64_t, 3>> decode_numbers(std::string_view magic, std::string_view bytes);
std::string encode_slot(const Watermark& watermark);
std::optional<Watermark> decode_slot(std::string_view bytes);

}  // namespace rltune::telemetry
