#include "rltune/base/sha256.hpp"

#include <gtest/gtest.h>

#include "rltune/base/sha256_sum.hpp"

namespace rltune {
namespace {

TEST(Sha256, of_pieces_is_that_of_the_whole) {
  const std::string bytes = std::string(200'000, 'q') + "the end";
  for (const std::size_t piece : {1UL, 63UL, 64UL, 65UL, 4096UL, 1'000'000UL}) {
    Sha256 sum;
    for (std::size_t at = 0; at < bytes.size(); at += piece) sum.add(std::string_view(bytes).substr(at, piece));
    EXPECT_EQ(sum.digits(), sha256(bytes)) << piece;
  }
  EXPECT_EQ(Sha256().digits(), sha256(""));
}

// FIPS 180-4 examples.
TEST(Sha256, published_digests) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace rltune
