#include "strictness.hpp"

#include <gtest/gtest.h>

namespace rltune::webserver {
namespace {

constexpr std::string_view kHead = "GET /v1/logs?a=1 HTTP/1.1\r\nHost: plant:8300\r\n\r\n";

TEST(Strictness, a_head_ends_with_its_empty_line_however_it_comes) {
  EXPECT_EQ(head_size(std::string(kHead) + "body"), kHead.size());
  for (std::size_t part = 0; part < kHead.size(); ++part) {
    ASSERT_EQ(head_size(kHead.substr(0, part)), 0) << part;
    EXPECT_EQ(head_size(kHead, part), kHead.size()) << part;
  }
  EXPECT_FALSE(fault_of(kHead));
}

TEST(Strictness, a_byte_that_cannot_be_is_a_fault_before_the_head_is_whole) {
  for (const std::string_view text :
       {std::string_view("\x16\x03\x01", 3), std::string_view("GET /\0", 6), std::string_view("GET / HTTP/1.1\n"),
        std::string_view("GET / HTTP/1.1\rHost"), std::string_view("GET / HTTP/1.1\r\nX: \x7f")})
    EXPECT_FALSE(head_size(text)) << text;
}

TEST(Strictness, a_host_is_a_name_or_an_address_with_a_port_or_none) {
  for (const char* host : {"plant", "plant.example:8300", "10.0.0.1", "[::1]", "[fe80::1]:80", "plant:", "a_b"})
    EXPECT_TRUE(is_host(host)) << host;
  for (const char* host : {"", ":80", "a b", "a,b", "a/b", "user@plant", "plant:x", "plant:70000", "[::1", "[]",
                           "[::1]x", "[::1]:x", "plant:80:80", "a\\b", "a?b", "a#b"})
    EXPECT_FALSE(is_host(host)) << host;
}

TEST(Strictness, a_path_has_no_dots_however_they_are_written) {
  for (const char* target : {"/..", "/a/../b", "/a/./b", "/%2e%2e/b", "/a/%2E./b", "/a%2f..%2fb", "/a/..%5cb", "/a/."})
    EXPECT_TRUE(fault_of_target("GET", target, "")) << target;
  for (const char* target :
       {"/", "/a..b", "/...", "/.well-known", "/a?b=../c", "/a%20b", "http://plant/a", "http://plant"})
    EXPECT_FALSE(fault_of_target("GET", target, "")) << target;
}

}  // namespace
}  // namespace rltune::webserver
