#include "frame.hpp"

#include <cstring>

#include "numbers.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/crc32c.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::string_view kSegmentMagic = "RLTSEG1\n", kSlotMagic = "RLTMARK1";
constexpr std::size_t kMarkBytes = 4;

std::string_view bytes_of(const std::uint64_t& salt) noexcept {
  return {reinterpret_cast<const char*>(&salt), sizeof salt};
}

std::optional<SegmentHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  if (number_at<std::uint32_t>(bytes, 44) != crc32c(bytes.substr(0, 44))) return std::nullopt;
  return SegmentHeader{number_at<std::uint64_t>(bytes, 8), number_at<std::uint64_t>(bytes, 16),
                       number_at<std::uint64_t>(bytes, 24), number_at<std::int64_t>(bytes, 32)};
}

}  // namespace

std::string encode_headers(const SegmentHeader& header) {
  std::string copy(kSegmentMagic);
  put_number(copy, header.salt);
  put_number(copy, header.number);
  put_number(copy, header.first);
  put_number(copy, header.begun_unix_ns);
  put_number(copy, std::uint32_t{0});
  put_number(copy, crc32c(copy));
  std::string bytes = copy;
  bytes.resize(kSecondHeaderAt);
  bytes += copy;
  bytes.resize(kFramesAt);
  return bytes;
}

std::optional<SegmentHeader> decode_headers(std::string_view bytes) {
  if (auto header = decode_header(bytes)) return header;
  // Bytes that were cut out of the first copy have moved the second.
  for (std::size_t at = bytes.find(kSegmentMagic, 1); at < kFramesAt; at = bytes.find(kSegmentMagic, at + 1))
    if (auto header = decode_header(bytes.substr(at))) return header;
  return std::nullopt;
}

void append_frame(std::string& to, std::uint64_t salt, const Frame& frame) {
  RLTUNE_CHECK(frame.payload.size() <= kPayloadMax);
  const std::size_t begin = to.size();
  put_number(to, static_cast<std::uint32_t>(salt));
  put_number(to, std::uint32_t{0});
  put_number(to, frame.sequence);
  put_number(to, frame.unix_ns);
  put_number(to, static_cast<std::uint32_t>(frame.payload.size()));
  const std::uint32_t salted = crc32c(bytes_of(salt));
  put_number(to, crc32c(frame.payload, salted));
  const std::uint32_t head = crc32c(std::string_view(to).substr(begin + 8, kFrameHeadBytes - 8), salted);
  std::memcpy(to.data() + begin + 4, &head, sizeof head);
  to += frame.payload;
}

Look look(std::string_view bytes, std::uint64_t salt) noexcept {
  const std::size_t there = std::min(bytes.size(), kMarkBytes);
  if (bytes.substr(0, there) != bytes_of(salt).substr(0, there)) return {};
  if (bytes.size() < kFrameHeadBytes) return {Look::What::partial, {}};
  const std::uint32_t salted = crc32c(bytes_of(salt));
  if (number_at<std::uint32_t>(bytes, 4) != crc32c(bytes.substr(8, kFrameHeadBytes - 8), salted)) return {};
  const std::size_t length = number_at<std::uint32_t>(bytes, 24);
  if (length > kPayloadMax) return {};
  if (bytes.size() - kFrameHeadBytes < length) return {Look::What::partial, {}};
  const std::string_view payload = bytes.substr(kFrameHeadBytes, length);
  if (number_at<std::uint32_t>(bytes, 28) != crc32c(payload, salted)) return {};
  return {Look::What::frame, {number_at<std::uint64_t>(bytes, 8), number_at<std::int64_t>(bytes, 16), payload}};
}

std::size_t next_mark(std::string_view bytes, std::uint64_t salt) noexcept {
  const std::size_t at = bytes.find(bytes_of(salt).substr(0, kMarkBytes), 1);
  if (at != std::string_view::npos) return at;
  return bytes.size() < kMarkBytes ? std::min<std::size_t>(1, bytes.size()) : bytes.size() - (kMarkBytes - 1);
}

std::string encode_numbers(std::string_view magic, const std::array<std::uint64_t, 3>& numbers) {
  std::string bytes(magic);
  for (const std::uint64_t number : numbers) put_number(bytes, number);
  put_number(bytes, crc32c(bytes));
  return bytes;
}

std::optional<std::array<std::uint64_t, 3>> decode_numbers(std::string_view magic, std::string_view bytes) {
  if (bytes.size() < kSlotBytes || !bytes.starts_with(magic)) return std::nullopt;
  if (number_at<std::uint32_t>(bytes, 32) != crc32c(bytes.substr(0, 32))) return std::nullopt;
  return std::array{number_at<std::uint64_t>(bytes, 8), number_at<std::uint64_t>(bytes, 16),
                    number_at<std::uint64_t>(bytes, 24)};
}

std::string encode_slot(const Watermark& watermark) {
  return encode_numbers(kSlotMagic, {watermark.count, watermark.acknowledged, watermark.floor});
}

std::optional<Watermark> decode_slot(std::string_view bytes) {
  const auto numbers = decode_numbers(kSlotMagic, bytes);
  if (!numbers) return std::nullopt;
  return Watermark{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

}  // namespace rltune::telemetry
