#include "rltune/base/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rltune {
namespace {

// RFC 3720, appendix B.4; "123456789" is the check value of the catalogue of CRCs (CRC-32/ISCSI).
TEST(Crc32c, published_values) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

// The remainder of a division by the polynomial, bit by bit: the definition.
TEST(Crc32c, is_what_the_definition_says_at_every_length_and_alignment) {
  std::string bytes;
  for (int i = 0; i < 80; ++i) bytes.push_back(static_cast<char>(i * 37 + 11));
  for (std::size_t begin = 0; begin < 9; ++begin)
    for (std::size_t length = 0; begin + length <= bytes.size(); ++length) {
      std::uint32_t remainder = ~0U;
      for (const char byte : bytes.substr(begin, length)) {
        remainder ^= static_cast<std::uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1U) ^ ((remainder & 1U) != 0 ? 0x82F63B78U : 0U);
      }
      ASSERT_EQ(crc32c(std::string_view(bytes).substr(begin, length)), ~remainder) << begin << " " << length;
    }
}

TEST(Crc32c, goes_on_from_a_part) { EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789")); }

}  // namespace
}  // namespace rltune
