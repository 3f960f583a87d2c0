#include "accept_encoding.hpp"

#include <gtest/gtest.h>

namespace rltune::gateway {
namespace {

TEST(AcceptEncoding, who_names_gzip_gets_it) {
  for (const char* header :
       {"gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "GZIP", "x-gzip", "*", "br, *;q=0.1", " gzip ; q=0.001 ",
        "gzip;Q=1", "gzip;q=1.000", "identity;q=0.5, gzip;q=0.5", ",,gzip", "nonsense;;, gzip", "gzip;q=1."})
    EXPECT_TRUE(takes_gzip(header)) << header;
}

TEST(AcceptEncoding, who_does_not_name_it_refuses_it_or_likes_plain_bytes_better_gets_those) {
  for (const char* header : {"", "br", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzipped",
                             "identity, gzip;q=0.9", "gz ip", "deflate;q=0.5"})
    EXPECT_FALSE(takes_gzip(header)) << header;
}

TEST(AcceptEncoding, what_is_malformed_counts_as_not_said) {
  for (const char* header : {"gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=-1", "gzip;q=", "gzip;q=.5",
                             "gzip;level=1", "gzip;q=1;level=9", "gzip;q= 1", "gzip q=1"})
    EXPECT_FALSE(takes_gzip(header)) << header;
}

}  // namespace
}  // namespace rltune::gateway
