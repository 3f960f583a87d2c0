#include "message_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "rltune/bus/bus.hpp"

namespace rltune::bus {
namespace {

static_assert(std::endian::native == std::endian::little);

// Read at once. It is also about how many small calls are served before anybody else's are looked at.
constexpr std::size_t kRoom = 16 * 1024;
constexpr std::size_t kKept = 16 * kRoom;  // of memory, for the next message

struct Prefix {
  std::uint32_t head = 0, body = 0;
  std::uint64_t call = 0;
};
static_assert(sizeof(Prefix) == kPrefixBytes);

Prefix prefix_at(const char* bytes) noexcept {
  Prefix prefix;
  std::memcpy(&prefix, bytes, sizeof prefix);
  return prefix;
}

}  // namespace

std::array<char, kPrefixBytes> prefix_of(const Message& message) noexcept {
  const Prefix prefix{static_cast<std::uint32_t>(message.head.size()), static_cast<std::uint32_t>(message.body.size()),
                      message.call};
  return std::bit_cast<std::array<char, kPrefixBytes>>(prefix);
}

// To be read next: the rest of a long message in steps as long as what is here of it.
std::size_t MessageReader::wanted() const noexcept {
  const std::size_t here = end_ - begin_;
  if (here < kPrefixBytes) return kRoom;
  const Prefix prefix = prefix_at(&buffer_[begin_]);
  const std::size_t whole = kPrefixBytes + prefix.head + prefix.body;
  return std::clamp(whole - std::min(whole, here), kRoom, std::max(kRoom, here));
}

std::span<char> MessageReader::room() {
  const std::size_t more = wanted();
  if (begin_ == end_ && buffer_.size() > kKept) buffer_ = {};
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.size() - end_ < more && begin_ > 0) {
    std::memmove(buffer_.data(), &buffer_[begin_], end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (buffer_.size() - end_ < more) buffer_.resize(end_ + more);
  return std::span(buffer_).subspan(end_);
}

std::optional<Message> MessageReader::next() noexcept {
  const std::size_t here = end_ - begin_;
  if (broken_ || here < kPrefixBytes) return std::nullopt;
  const char* bytes = &buffer_[begin_];
  const Prefix prefix = prefix_at(bytes);
  broken_ = prefix.head > kMessageBytesMax || prefix.body > kMessageBytesMax;
  const std::size_t whole = kPrefixBytes + prefix.head + prefix.body;
  if (broken_ || here < whole) return std::nullopt;
  begin_ += whole;
  return Message{prefix.call, {bytes + kPrefixBytes, prefix.head}, {bytes + kPrefixBytes + prefix.head, prefix.body}};
}

}  // namespace rltune::bus
