#include "message_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "rltune/bus/bus.hpp"

namespace rltune::bus {
namespace {

std::string bytes_of(const Message& message) {
  const auto prefix = prefix_of(message);
  return std::string(prefix.data(), prefix.size()) + std::string(message.head) + std::string(message.body);
}

struct Read {
  std::uint64_t call;
  std::string head, body;
  bool operator==(const Read&) const = default;
};

// What comes out when the bytes arrive in pieces of this length.
std::vector<Read> read_in_pieces(MessageReader& reader, std::string_view bytes, std::size_t piece) {
  std::vector<Read> read;
  while (!bytes.empty()) {
    const auto room = reader.room();
    const std::size_t size = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), size);
    reader.took(size);
    bytes.remove_prefix(size);
    while (const auto message = reader.next())
      read.push_back({message->call, std::string(message->head), std::string(message->body)});
  }
  return read;
}

TEST(MessageReader, messages_come_out_as_they_went_in_whatever_the_pieces) {
  const std::string longer(100'000, 'x');
  const std::vector<Message> messages{
      {1, "head", "body"}, {~0ULL, "", ""}, {3, "", longer}, {4, longer, ""}, {5, "another", "one"}};
  std::string bytes;
  std::vector<Read> expected;
  for (const Message& message : messages) {
    bytes += bytes_of(message);
    expected.push_back({message.call, std::string(message.head), std::string(message.body)});
  }
  for (const std::size_t piece : {1UL, 7UL, 16UL, 4'096UL, 1'000'000UL}) {
    MessageReader reader;
    EXPECT_EQ(read_in_pieces(reader, bytes, piece), expected) << piece;
    EXPECT_FALSE(reader.broken());
  }
}

TEST(MessageReader, the_longest_message_is_read_and_a_longer_one_is_broken) {
  const std::string longest(kMessageBytesMax, 'x');
  MessageReader reader;
  EXPECT_EQ(read_in_pieces(reader, bytes_of({7, longest, longest}), 1'000'000).size(), 1U);
  EXPECT_FALSE(reader.broken());
  const std::string longer(kMessageBytesMax + 1, 'x');
  for (const Message& message : {Message{1, longer, ""}, Message{1, "", longer}}) {
    MessageReader another;
    const auto prefix = prefix_of(message);
    EXPECT_TRUE(read_in_pieces(another, {prefix.data(), prefix.size()}, 16).empty());
    EXPECT_TRUE(another.broken());
    EXPECT_TRUE(read_in_pieces(another, bytes_of({2, "head", "body"}), 16).empty()) << "nothing behind it is read";
  }
}

TEST(MessageReader, memory_follows_what_has_arrived) {
  const std::string longest(kMessageBytesMax, 'x');
  MessageReader reader;
  const std::string beginning = bytes_of({7, longest, longest}).substr(0, 1'000);
  EXPECT_TRUE(read_in_pieces(reader, beginning, 100).empty());
  EXPECT_LT(reader.room().size(), 100'000U);
}

}  // namespace
}  // namespace rltune::bus
