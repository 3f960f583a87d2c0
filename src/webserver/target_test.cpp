#include "target.hpp"

#include <gtest/gtest.h>

namespace rltune::webserver {
namespace {

TEST(Target, a_path_and_its_query_are_taken_apart) {
  const auto target = parse_target("/v1/logs?text=two%20words+more&level=&flag&text=second#part");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/logs");
  EXPECT_EQ(target->query,
            (std::map<std::string, std::string>{{"text", "two words more"}, {"level", ""}, {"flag", ""}}));
  EXPECT_EQ(target->twice, std::vector<std::string>{"text"});
}

TEST(Target, a_proxy_may_write_the_host_before_it) {
  EXPECT_EQ(parse_target("http://plant:8300/v1/logs?a=1")->path, "/v1/logs");
  EXPECT_EQ(parse_target("https://plant")->path, "/");
}

TEST(Target, what_is_no_path_or_badly_encoded_is_refused) {
  for (const char* text : {"", "*", "v1/logs", "/a?b=%", "/a?b=%2", "/a?b=%zz", "/a?%00=1", "/a?b=%+1", "/a?b=%-1"})
    EXPECT_FALSE(parse_target(text)) << text;
  for (const char byte : {'\0', '\t', '\n', ' ', '\x7f'})
    EXPECT_FALSE(parse_target(std::string("/a?b=") + byte)) << static_cast<int>(byte);
}

TEST(Target, percent_signs_are_decoded_once) {
  EXPECT_EQ(decode_percent("a%2Fb%2525"), "a/b%25");
  EXPECT_EQ(decode_percent("a+b"), "a+b");
  EXPECT_EQ(decode_percent("%f"), std::nullopt);
}

}  // namespace
}  // namespace rltune::webserver
