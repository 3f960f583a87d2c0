#include "rltune/telemetry/log_entry.hpp"

#include <gtest/gtest.h>

#include <format>

namespace rltune::telemetry {
namespace {

constexpr std::string_view kGood =
    R"({"timestamp":"2025-08-25T10:00:00Z","service":"corerl","level":"INFO","message":"Agent started successfully.",)"
    R"("correlation_id":"abc-123"})";

// The good entry with one field's value as it stands in JSON; without the field where it is empty.
std::string entry_with(const std::string& field, const std::string& json) {
  std::string text = "{";
  bool there = false;
  for (const auto& [name, value] : {std::pair{"timestamp", "\"2025-08-25T10:00:00Z\""},
                                    {"service", "\"corerl\""},
                                    {"level", "\"INFO\""},
                                    {"message", "\"hello\""}}) {
    there = there || name == field;
    const std::string own = name == field ? json : value;
    if (!own.empty()) text += std::format("{}\"{}\":{}", text.size() > 1 ? "," : "", name, own);
  }
  if (!there) text += std::format(",\"{}\":{}", field, json);
  return text + "}";
}

TEST(LogEntry, the_document_s_own_example_is_taken_as_it_stands) {
  const ParsedEntries parsed = parse_entries(kGood);
  EXPECT_TRUE(parsed.faults.empty());
  ASSERT_EQ(parsed.payloads.size(), 1U);
  EXPECT_EQ(parsed.payloads[0], kGood);
}

TEST(LogEntry, fields_are_kept_in_one_order_and_attributes_with_their_types) {
  const ParsedEntries parsed = parse_entries(
      R"( {"message":"m","attributes":{"steps":12,"gain":0.5,"on":true,"none":null,"who":"é"},"level":"ERROR","id":"7",
          "service":"io","timestamp":"2025-08-25T10:00:00.5+02:00"} )");
  EXPECT_TRUE(parsed.faults.empty());
  ASSERT_EQ(parsed.payloads.size(), 1U);
  EXPECT_EQ(parsed.payloads[0],
            R"({"timestamp":"2025-08-25T10:00:00.5+02:00","service":"io","level":"ERROR","message":"m","id":"7",)"
            R"("attributes":{"steps":12,"gain":0.5,"on":true,"none":null,"who":"é"}})");
}

TEST(LogEntry, an_array_and_lines_are_the_same_entries) {
  const std::string array = std::format("[{0},{0},{0}]", kGood), lines = std::format("{0}\n\r\n{0}\n{0}", kGood);
  EXPECT_EQ(parse_entries(array).payloads, (Payloads{kGood, kGood, kGood}));
  EXPECT_EQ(parse_entries(lines).payloads, (Payloads{kGood, kGood, kGood}));
}

TEST(LogEntry, every_fault_is_told_with_entry_and_field_and_nothing_is_taken) {
  const ParsedEntries parsed = parse_entries(
      std::format("{}\n{}\n{}", kGood, entry_with("level", "\"LOUD\""), entry_with("timestamp", "\"yesterday\"")));
  EXPECT_TRUE(parsed.payloads.empty());
  ASSERT_EQ(parsed.faults.size(), 2U);
  EXPECT_EQ(parsed.faults[0], (EntryFault{2, "level", "'LOUD' is none of DEBUG, INFO, WARNING, ERROR, CRITICAL"}));
  EXPECT_EQ(parsed.faults[1],
            (EntryFault{3, "timestamp", "'yesterday' is no instant like 2025-08-25T10:00:00Z (RFC 3339)"}));
}

TEST(LogEntry, each_bad_field_is_refused_by_its_name) {
  struct Case {
    std::string field, json;
  };
  for (const Case& bad : std::vector<Case>{{"timestamp", ""},
                                           {"timestamp", "1756116000"},
                                           {"timestamp", "\"2025-08-25\""},
                                           {"timestamp", "\"2025-08-25T10:00:00\""},
                                           {"service", ""},
                                           {"service", "\"\""},
                                           {"service", "\"two words\""},
                                           {"service", "null"},
                                           {"level", ""},
                                           {"level", "\"info\""},
                                           {"message", ""},
                                           {"message", "[]"},
                                           {"message", "\"" + std::string(kMessageMax + 1, 'x') + "\""},
                                           {"correlation_id", "7"},
                                           {"id", "\"" + std::string(kNameMax + 1, 'x') + "\""},
                                           {"attributes", "[]"},
                                           {"severity", "\"INFO\""}}) {
    SCOPED_TRACE(bad.field + " " + bad.json.substr(0, 60));
    const ParsedEntries parsed = parse_entries(entry_with(bad.field, bad.json));
    EXPECT_TRUE(parsed.payloads.empty());
    ASSERT_EQ(parsed.faults.size(), 1U);
    EXPECT_EQ(parsed.faults[0].entry, 1U);
    EXPECT_EQ(parsed.faults[0].field, bad.field);
    EXPECT_FALSE(parsed.faults[0].message.empty());
  }
}

TEST(LogEntry, attributes_are_flat_and_bounded) {
  EXPECT_EQ(parse_entries(entry_with("attributes", R"({"a":{"b":1}})")).faults.at(0).field, "attributes.a");
  EXPECT_EQ(parse_entries(entry_with("attributes", R"({"a b":1})")).faults.at(0).field, "attributes.a b");
  std::string many = "{";
  for (std::size_t i = 0; i <= kAttributesMax; ++i) many += std::format("{}\"a{}\":1", i == 0 ? "" : ",", i);
  EXPECT_EQ(parse_entries(entry_with("attributes", many + "}")).faults.at(0).field, "attributes");
  std::string large = "{";
  for (int i = 0; i < 20; ++i)
    large += std::format("{}\"a{}\":\"{}\"", i == 0 ? "" : ",", i, std::string(kMessageMax, 'x'));
  EXPECT_EQ(parse_entries(entry_with("attributes", large + "}")).faults.at(0).field, "") << "more than a record may be";
}

TEST(LogEntry, what_is_no_entry_is_said_with_where_it_goes_wrong) {
  EXPECT_EQ(parse_entries("").faults.size(), 1U);
  EXPECT_EQ(parse_entries(" \n ").faults.size(), 1U);
  EXPECT_EQ(parse_entries("[]").faults.size(), 1U);
  EXPECT_EQ(parse_entries("[1]").faults.at(0).entry, 1U);
  EXPECT_EQ(parse_entries("\"text\"").faults.size(), 1U);
  EXPECT_NE(parse_entries(std::format("{}\n{{\"timestamp\":", kGood)).faults.at(0).message.find("byte"),
            std::string::npos);
  EXPECT_EQ(parse_entries(std::string(100'000, '[')).faults.size(), 1U);
  std::string twice(kGood);
  twice.insert(1, R"("level":"INFO",)");
  EXPECT_EQ(parse_entries(twice).faults.at(0), (EntryFault{1, "level", "it stands there twice"}));
}

TEST(LogEntry, no_more_faults_are_told_than_somebody_reads) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{}\n";
  EXPECT_EQ(parse_entries(lines).faults.size(), kFaultsMax);
}

}  // namespace
}  // namespace rltune::telemetry
