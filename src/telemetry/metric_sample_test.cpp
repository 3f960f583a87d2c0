#include "rltune/telemetry/metric_sample.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rltune::telemetry {
namespace {

TEST(MetricSample, the_format_s_own_example_is_written_and_read) {
  const std::string text = R"({"name":"rltune_role_up","labels":{"role":"io"},"timestamp":1756116000000,"value":1})";
  const MetricSample sample{"rltune_role_up", {{"role", "io"}}, 1756116000000, 1.0};
  EXPECT_EQ(to_payload(sample), text);
  EXPECT_EQ(parse_metric(text), sample);
}

TEST(MetricSample, every_double_comes_back_to_the_bit) {
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.0, -0.0, 0.1, -1.5, 1e300, 9007199254740993.0, -9007199254740992.0, Limits::min(),
                             Limits::denorm_min(), Limits::max(), Limits::infinity(), -Limits::infinity()}) {
    const auto back = parse_metric(to_payload({"m", {}, -5, value}));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->value, value);
    EXPECT_EQ(std::signbit(back->value), std::signbit(value));
    EXPECT_EQ(back->unix_ms, -5);
  }
  const std::string payload = to_payload({"m", {}, 0, Limits::quiet_NaN()});
  EXPECT_EQ(payload, R"({"name":"m","labels":{},"timestamp":0,"value":"NaN"})");
  EXPECT_TRUE(std::isnan(parse_metric(payload)->value));
}

TEST(MetricSample, labels_of_any_text_come_back_and_what_is_no_utf_8_is_made_readable) {
  const MetricSample sample{"m", {{"a", "qu\"ote\\ \n\t\x01 é"}, {"b", ""}}, 1, 2.5};
  EXPECT_EQ(parse_metric(to_payload(sample)), sample);
  const auto made = parse_metric(to_payload({"m", {{"a", "caf\xe9"}}, 1, 2.5}));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->labels.at("a"), "caf?");
}

TEST(MetricSample, what_is_not_quite_a_sample_is_refused_by_its_field) {
  const auto fault = [](std::string_view text) {
    const auto parsed = parse_metric(text);
    return parsed ? std::string("taken") : std::string(to_string(parsed.error().code)) + " " + parsed.error().message;
  };
  EXPECT_EQ(fault(R"({"name":"m","labels":{},"timestamp":1})"), "parse value: it is missing");
  EXPECT_EQ(fault(R"({"name":"m","labels":{},"timestamp":1,"value":1,"value":2})"),
            "parse value: it stands there twice");
  EXPECT_EQ(fault(R"({"name":"m","labels":{},"timestamp":1,"value":1,"unit":2})"), "parse unit: no field of a sample");
  EXPECT_EQ(fault(R"({"name":"1m","labels":{},"timestamp":1,"value":1})"),
            "parse name: it is not the name of a metric");
  EXPECT_EQ(fault(R"({"name":"m","labels":{"a:b":""},"timestamp":1,"value":1})"),
            "parse labels: 'a:b' is not the name of a label");
  EXPECT_EQ(fault(R"({"name":"m","labels":{"a":"","a":""},"timestamp":1,"value":1})"),
            "parse labels.a: it stands there twice");
  EXPECT_EQ(fault(R"({"name":"m","labels":[],"timestamp":1,"value":1})"), "parse labels: it should be an object");
  for (const char* time : {"1.5", "18446744073709551615", "9223372036854775808", "\"1\"", "null", "1e3"})
    EXPECT_EQ(fault(std::string(R"({"name":"m","labels":{},"value":1,"timestamp":)") + time + "}"),
              "parse timestamp: it should be milliseconds since 1970, an integer");
  for (const char* value : {"\"Inf\"", "\"nan\"", "\"1\"", "true", "null", "{}"})
    EXPECT_EQ(fault(std::string(R"({"name":"m","labels":{},"timestamp":1,"value":)") + value + "}"),
              "parse value: it should be a number, \"NaN\", \"+Inf\" or \"-Inf\"");
  for (const char* text : {"", "[]", "{", "1", R"({"name":"m","labels":{},"timestamp":1,"value":1e999})",
                           R"({"name":"m","labels":{},"timestamp":1,"value":1} x)"})
    EXPECT_TRUE(fault(text).starts_with("parse ")) << text;
}

TEST(MetricSample, more_or_longer_labels_than_a_series_may_have_are_refused) {
  MetricSample sample{"m", {}, 1, 1.0};
  for (std::size_t i = 0; i < kLabelsMax; ++i)
    sample.labels["l" + std::to_string(i)] = std::string(kLabelValueMax, 'x');
  EXPECT_EQ(parse_metric(to_payload(sample)), sample);
  MetricSample longer = sample;
  longer.labels["l0"] += "x";
  EXPECT_FALSE(parse_metric(to_payload(longer)));
  sample.labels["one_more"] = "";
  EXPECT_FALSE(parse_metric(to_payload(sample)));
}

}  // namespace
}  // namespace rltune::telemetry
