#include "rltune/base/time.hpp"

#include <gtest/gtest.h>

namespace rltune {
namespace {

TEST(Time, round_trips_through_rfc3339) {
  for (const char* text : {"2014-02-09T00:00:00Z", "1969-12-31T23:59:59.500Z", "2026-11-21T01:02:03.000000001Z"})
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(Time, offsets_are_taken_off) {
  EXPECT_EQ(parse_rfc3339("2014-02-09T01:00:00+01:00").value(), parse_rfc3339("2014-02-09").value());
}

TEST(Time, nonsense_is_refused_with_an_example) {
  for (const char* text : {"", "2014", "2014-02-30", "2014-02-09T25:00:00Z", "2014-02-09T00:00:00",
                           "2014-02-09T00:00:00Zx", "-014-02-09", "9999-01-01"}) {
    const auto result = parse_rfc3339(text);
    ASSERT_FALSE(result) << text;
    EXPECT_NE(result.error().message.find("2014-02-09"), std::string::npos);
  }
}

}  // namespace
}  // namespace rltune
