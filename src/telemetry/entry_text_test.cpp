#include "entry_text.hpp"

#include <gtest/gtest.h>

#include <format>

#include "rltune/base/random.hpp"
#include "rltune/base/time.hpp"

namespace rltune::telemetry {
namespace {

TEST(EntryText, an_instant_is_what_rfc_3339_says_however_it_is_written) {
  Random random(6);
  int instants = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = std::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", 1890 + random.below(320), random.below(14),
                                   random.below(33), random.below(25), random.below(61), random.below(62));
    if (random.uniform() < 0.6) text += "." + std::to_string(random.below(2'000'000'000)).substr(0, random.below(11));
    text += random.uniform() < 0.9 ? "Z" : "+01:00";
    if (random.uniform() < 0.05) text[random.below(text.size())] = "x-:.T 9"[random.below(7)];
    const auto expected = parse_rfc3339(text);
    const auto time = entry_time(text);
    if (text.find('T') == std::string::npos) continue;
    ASSERT_EQ(time.has_value(), expected.has_value()) << text;
    if (!time) continue;
    ++instants;
    ASSERT_EQ(*time, expected->time_since_epoch().count()) << text;
  }
  EXPECT_GT(instants, 5000);
  EXPECT_FALSE(entry_time("2025-08-25"));
}

TEST(EntryText, fields_are_found_behind_any_text) {
  std::string payload = R"({"timestamp":"2025-08-25T10:00:00Z","service":"a","level":"INFO","message":)";
  append_json_text(payload, R"(","correlation_id":"forged\)");
  const auto without = read_entry(payload + "}");
  ASSERT_TRUE(without);
  EXPECT_EQ(without->correlation_id, "");
  EXPECT_EQ(unescaped_json_text(without->message), R"(","correlation_id":"forged\)");
  const auto with = read_entry(payload + R"(,"correlation_id":"true","id":"7","attributes":{"a":1}})");
  ASSERT_TRUE(with);
  EXPECT_EQ(with->correlation_id, "true");
  EXPECT_EQ(with->id, "7");
  EXPECT_EQ(with->attributes, R"({"a":1})");
  EXPECT_FALSE(read_entry(payload));
  EXPECT_FALSE(read_entry(""));
  EXPECT_FALSE(read_entry(R"({"name":"rltune_role_up"})"));
}

}  // namespace
}  // namespace rltune::telemetry
