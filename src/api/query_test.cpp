#include "rltune/api/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace rltune::api {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

inline constexpr std::array<std::string_view, 2> kSizes{"small", "large"};

struct Wanted {
  std::string size;
  std::optional<TimePoint> from;
  std::optional<std::uint64_t> limit;
  std::optional<double> above;
  std::optional<bool> all;
  std::optional<std::string> text;
};
template <typename Visitor>
void describe(Visitor& v, Wanted& wanted) {
  v.field("size", wanted.size, {.note = "", .words = kSizes});
  v.field("from", wanted.from, {.note = ""});
  v.field("limit", wanted.limit, {.note = "", .low = 1, .high = 10});
  v.field("above", wanted.above, {.note = ""});
  v.field("all", wanted.all, {.note = ""});
  v.field("text", wanted.text, {.note = "", .length_max = 5});
}

std::expected<Wanted, Faults> read(const std::map<std::string, std::string>& values,
                                   const std::vector<std::string>& twice = {}) {
  return from_query<Wanted>({.values = values, .twice = twice});
}

std::vector<std::string> wrong(const std::map<std::string, std::string>& values) {
  std::vector<std::string> names;
  if (const auto wanted = read(values); !wanted)
    for (const Fault& fault : wanted.error()) names.push_back(fault.parameter);
  return names;
}

TEST(ApiQuery, what_is_asked_is_read_as_its_kind) {
  const auto wanted = read({{"size", "large"},
                            {"from", "2026-05-01T12:00:00.5Z"},
                            {"limit", "7"},
                            {"above", "-1.5"},
                            {"all", "true"},
                            {"text", "12"}});
  ASSERT_TRUE(wanted) << wanted.error()[0].parameter << wanted.error()[0].detail;
  EXPECT_EQ(wanted->size, "large");
  EXPECT_EQ(format_rfc3339(*wanted->from), "2026-05-01T12:00:00.500Z");
  EXPECT_EQ(*wanted->limit, 7U);
  EXPECT_EQ(*wanted->above, -1.5);
  EXPECT_TRUE(*wanted->all);
  EXPECT_EQ(*wanted->text, "12") << "a text that looks like a number is a text";
}

TEST(ApiQuery, what_may_be_missing_may_and_the_rest_not) {
  const auto wanted = read({{"size", "small"}});
  ASSERT_TRUE(wanted);
  EXPECT_FALSE(wanted->from || wanted->limit || wanted->above || wanted->all || wanted->text);
  EXPECT_THAT(wrong({}), ElementsAre("size"));
}

TEST(ApiQuery, all_that_is_wrong_is_told_at_once_by_name) {
  EXPECT_THAT(wrong({{"size", "huge"},
                     {"from", "yesterday"},
                     {"limit", "11"},
                     {"above", "high"},
                     {"all", "yes"},
                     {"text", "too long"},
                     {"more/or~less", "1"}}),
              UnorderedElementsAre("size", "from", "limit", "above", "all", "text", "more/or~less"));
}

TEST(ApiQuery, a_number_is_one_from_end_to_end) {
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1e0", "99999999999999999999", "0"})
    EXPECT_THAT(wrong({{"size", "small"}, {"limit", text}}), ElementsAre("limit")) << text;
  for (const char* text : {"", "nan", "inf", "-infinity", "1,5", "1e999"})
    EXPECT_THAT(wrong({{"size", "small"}, {"above", text}}), ElementsAre("above")) << text;
  for (const char* text : {"9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"})
    EXPECT_THAT(wrong({{"size", "small"}, {"from", text}}), ElementsAre("from")) << text;
}

TEST(ApiQuery, what_stands_twice_is_refused) {
  const auto wanted = read({{"size", "small"}, {"limit", "3"}}, {"limit"});
  ASSERT_FALSE(wanted);
  EXPECT_THAT(wanted.error(), ElementsAre(Fault{.pointer = "", .detail = "stands twice", .parameter = "limit"}));
}

}  // namespace
}  // namespace rltune::api
