// What travels between those who call and those who serve: a head and a body, behind 16 bytes that say how long each is
// and which call it is about. Little endian. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rltune::bus {

struct Message {
  std::uint64_t call = 0;  // given by who calls, repeated by who answers; per connection
  std::string_view head;   // of a call its Envelope; of an answer an Answer, empty where it is no error
  std::string_view body;
};

inline constexpr std::size_t kPrefixBytes = 16;  // length of the head (32 bits), of the body (32), call (64)
std::array<char, kPrefixBytes> prefix_of(const Message& message) noexcept;

// Bytes of one connection, as they arrive, into messages. They come from outside: what announces more than
// kMessageBytesMax is broken from there on. Memory follows what has arrived, not what was announced.
class MessageReader {
 public:
  // Where the next bytes go. Ends what next() returned.
  std::span<char> room();
  void took(std::size_t bytes) noexcept { end_ += bytes; }
  // The next whole message. Valid until room().
  std::optional<Message> next() noexcept;
  bool broken() const noexcept { return broken_; }

 private:
  std::size_t wanted() const noexcept;

  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was not returned yet
  bool broken_ = false;
};

}  // namespace rltune::bus
