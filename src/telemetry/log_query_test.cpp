#include "rltune/telemetry/log_query.hpp"

#include <gtest/gtest.h>

namespace rltune::telemetry {
namespace {

using Parameters = std::map<std::string, std::string>;

TEST(LogQueryWords, each_parameter_says_its_part) {
  const auto query = parse_query({{"from", "2026-05-04T12:00:00Z"},
                                  {"service", "io,agent.climate"},
                                  {"level", "warning"},
                                  {"correlation_id", "abc-1"},
                                  {"text", "heating"},
                                  {"limit", "7"},
                                  {"next", "42"},
                                  {"order", "oldest"}});
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->from, parse_rfc3339("2026-05-04T12:00:00Z").value());
  EXPECT_FALSE(query->to);
  EXPECT_EQ(query->services, (std::vector<std::string>{"io", "agent.climate"}));
  EXPECT_EQ(query->level_min, log::Level::warning);
  EXPECT_EQ(query->correlation_id, "abc-1");
  EXPECT_EQ(query->text, "heating");
  EXPECT_EQ(query->limit, 7U);
  EXPECT_EQ(query->next, 42U);
  EXPECT_FALSE(query->newest_first);
}

TEST(LogQueryWords, what_is_wrong_is_named) {
  for (const auto& [parameters, named] :
       std::vector<std::pair<Parameters, std::string>>{{{{"form", "2026-05-04T12:00:00Z"}}, "there are from, to"},
                                                       {{{"from", "yesterday"}}, "from: 'yesterday' is no instant"},
                                                       {{{"level", "loud"}}, "'loud' is not a level"},
                                                       {{{"limit", "-1"}}, "limit: '-1' is no whole number"},
                                                       {{{"limit", "100000000"}}, "from 0 to 10000"},
                                                       {{{"order", "sideways"}}, "order (newest, oldest)"}}) {
    const auto query = parse_query(parameters);
    ASSERT_FALSE(query) << named;
    EXPECT_NE(query.error().message.find(named), std::string::npos) << query.error().message;
  }
}

TEST(LogQueryWords, a_page_is_one_json_object_with_the_entries_as_they_came) {
  const LogPage page{
      .entries = {{7, 1'777'896'000'000'000'000, R"({"message":"a"})"}, {9, 0, "{}"}}, .next = 10, .is_complete = true};
  EXPECT_EQ(to_json(page),
            R"({"entries":[{"sequence":7,"received":"2026-05-04T12:00:00Z","entry":{"message":"a"}},)"
            R"({"sequence":9,"received":"1970-01-01T00:00:00Z","entry":{}}],"next":10,"complete":true})");
  EXPECT_EQ(to_json(LogPage{}), R"({"entries":[],"next":0,"complete":false})");
}

}  // namespace
}  // namespace rltune::telemetry
