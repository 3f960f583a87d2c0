#include "rltune/base/json_text.hpp"

#include <gtest/gtest.h>

#include "rltune/base/random.hpp"

namespace rltune {
namespace {

TEST(JsonText, a_text_is_escaped_where_it_must_be_and_is_itself_again) {
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random.below(40), 'x');
    for (char& c : text)
      if (random.uniform() < 0.2) c = static_cast<char>(random.below(128));
    std::string json;
    append_json_text(json, text);
    ASSERT_EQ(json.front(), '"');
    ASSERT_EQ(json.back(), '"');
    const std::string inside = json.substr(1, json.size() - 2);
    ASSERT_EQ(unescaped_json_text(inside), text);
    for (std::size_t at = 0; at < inside.size(); ++at) {
      ASSERT_GE(static_cast<unsigned char>(inside[at]), 0x20);
      if (inside[at] == '\\')
        ++at;
      else
        ASSERT_NE(inside[at], '"');
    }
  }
  std::string json;
  append_json_text(json, "12345678\"ümläut\\\b\f\n\r\t\x01\x1f");
  EXPECT_EQ(json, R"("12345678\"ümläut\\\b\f\n\r\t\u0001\u001F")");
}

TEST(JsonText, what_is_no_utf_8_becomes_so) {
  std::string json;
  append_any_json_text(json, "uml\xc3\xa4ut");
  append_any_json_text(json, "\xff\"x");
  EXPECT_EQ(json, "\"uml\xc3\xa4ut\"\"\xef\xbf\xbd\\\"x\"");
}

}  // namespace
}  // namespace rltune
