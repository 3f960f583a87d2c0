#include "rltune/api/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/api/account.hpp"
#include "rltune/api/site.hpp"

namespace rltune::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Inner {
  static constexpr std::string_view kSchema = "Inner";
  double share = 0.0;
};
template <typename Visitor>
void describe(Visitor& v, Inner& inner) {
  v.field("share", inner.share, {.note = "a part", .low = 0.0, .high = 1.0});
}

inline constexpr std::array<std::string_view, 2> kColours{"red", "green"};

struct Everything {
  static constexpr std::string_view kSchema = "Everything";
  std::string text = "t", colour = "red";
  double number = 1.5;
  std::uint64_t count = 7;
  bool flag = true;
  TimePoint time{std::chrono::seconds(1'700'000'000)};
  Inner inner{0.5};
  std::vector<Inner> list{{0.25}};
  std::map<std::string, std::uint64_t> by_name{{"a/b", 1}};
  std::optional<std::string> maybe;
};
template <typename Visitor>
void describe(Visitor& v, Everything& all) {
  v.field("text", all.text, {.note = "", .length_max = 4});
  v.field("colour", all.colour, {.note = "", .words = kColours});
  v.field("number", all.number, {.note = ""});
  v.field("count", all.count, {.note = "", .high = 10});
  v.field("flag", all.flag, {.note = ""});
  v.field("time", all.time, {.note = ""});
  v.field("inner", all.inner, {.note = ""});
  v.field("list", all.list, {.note = "", .length_max = 2});
  v.field("by_name", all.by_name, {.note = ""});
  v.field("maybe", all.maybe, {.note = ""});
}

Json whole() { return Json::parse(to_json(Everything{})); }

Faults faults_of(const Json& tree) {
  const auto read = from_json<Everything>(tree.dump());
  return read ? Faults{} : read.error();
}

TEST(ApiJson, what_is_written_reads_back) {
  Everything message;
  message.maybe = "there";
  const auto read = from_json<Everything>(to_json(message));
  ASSERT_TRUE(read) << read.error()[0].pointer << read.error()[0].detail;
  EXPECT_EQ(to_json(*read), to_json(message));
  EXPECT_EQ(read->time, message.time);
  EXPECT_EQ(read->by_name.at("a/b"), 1U);
  EXPECT_EQ(*read->maybe, "there");
}

TEST(ApiJson, an_optional_field_may_be_missing_and_is_not_written_then) {
  EXPECT_FALSE(whole().contains("maybe"));
  EXPECT_THAT(faults_of(whole()), IsEmpty());
}

TEST(ApiJson, all_that_is_wrong_is_told_at_once_and_where) {
  Json tree = whole();
  tree.erase("flag");
  tree["more"] = 1;
  tree["text"] = "secret";
  tree["colour"] = "blue";
  tree["count"] = 11;
  tree["inner"]["share"] = 1.5;
  tree["list"][0]["share"] = "half";
  tree["by_name"]["a/b"] = -1;
  std::vector<std::string> where;
  for (const Fault& fault : faults_of(tree)) {
    where.push_back(fault.pointer);
    EXPECT_EQ(fault.detail.find("secret"), std::string::npos) << "a value is never repeated";
  }
  EXPECT_THAT(where, UnorderedElementsAre("/flag", "/more", "/text", "/colour", "/count", "/inner/share",
                                          "/list/0/share", "/by_name/a~1b"));
}

TEST(ApiJson, who_sends_nonsense_gets_little_of_it_back) {
  Json tree = whole();
  tree[std::string(100'000, 'x')] = 1;
  for (int i = 0; i < 5'000; ++i) tree["n" + std::to_string(i)] = i;
  const Faults faults = faults_of(tree);
  EXPECT_EQ(faults.size(), kFaultsMax);
  for (const Fault& fault : faults) EXPECT_LE(fault.pointer.size(), kPointerMax);
}

TEST(ApiJson, another_kind_of_value_is_a_fault) {
  for (const auto& [name, wrong] : std::vector<std::pair<std::string, Json>>{{"text", 1},
                                                                             {"text", nullptr},
                                                                             {"number", "1.5"},
                                                                             {"count", 1.5},
                                                                             {"count", -1},
                                                                             {"flag", 0},
                                                                             {"time", "soon"},
                                                                             {"inner", Json::array()},
                                                                             {"list", Json::object()},
                                                                             {"by_name", "a"},
                                                                             {"maybe", 3},
                                                                             {"list", {1, 2, 3}}}) {
    Json tree = whole();
    tree[name] = wrong;
    const Faults faults = faults_of(tree);
    ASSERT_FALSE(faults.empty()) << name << " " << wrong;
    EXPECT_EQ(faults[0].pointer, "/" + name) << wrong;
  }
}

TEST(ApiJson, what_is_no_object_is_one_fault) {
  for (const char* text : {"[]", "1", "\"a\"", "null"}) {
    const auto read = from_json<Everything>(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error(), ElementsAre(Fault{"", "has to be an object"})) << text;
  }
  for (const char* text : {"", "{", "{\"text\":}", "\xff", "{} {}"}) {
    const auto read = from_json<Everything>(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error(), ElementsAre(Fault{"", "this is not JSON"})) << text;
  }
}

TEST(ApiJson, a_name_that_stands_twice_is_refused) {
  const auto read = from_json<Login>(R"({"user":"ada","password":"x","user":"grace"})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error(), ElementsAre(Fault{"", "a name stands twice in an object"}));
  EXPECT_TRUE(parse_strictly(R"([{"a":1},{"a":2}])"));
  EXPECT_FALSE(parse_strictly(R"([{"a":{"b":1,"c":[{"d":1,"d":2}]}}])"));
}

TEST(ApiJson, depth_is_bounded) {
  const std::string deep = std::string(32, '[') + std::string(32, ']'), deeper = "[" + deep + "]";
  EXPECT_TRUE(parse_strictly(deep));
  EXPECT_FALSE(parse_strictly(deeper));
  EXPECT_FALSE(parse_strictly(std::string(1'000'000, '[')));
}

TEST(ApiJson, a_password_is_in_no_fault) {
  const auto read = from_json<Login>(R"({"user":"ada","password":["hunter2hunter2"],"hunter3":1})");
  ASSERT_FALSE(read);
  for (const Fault& fault : read.error()) EXPECT_EQ((fault.detail + fault.pointer).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace rltune::api
