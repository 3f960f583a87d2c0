#include "rltune/polling/exposition.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rltune/metrics/registry.hpp"

namespace rltune::polling {
namespace {

using telemetry::MetricSample;
using Samples = std::vector<MetricSample>;

std::string fault_of(std::string_view text, const ExpositionLimits& limits = {}) {
  const auto parsed = parse_exposition(text, 1, limits);
  return parsed ? "taken" : parsed.error().message;
}

// The example of the format's own page.
TEST(Exposition, the_example_of_its_page_is_read_as_it_says) {
  const auto samples = parse_exposition(R"(# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# Finally a summary, which has a complex representation, too:
# HELP rpc_duration_seconds A summary of the RPC duration in seconds.
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
)",
                                        5);
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_EQ(samples->size(), 12U);
  EXPECT_EQ((*samples)[0],
            (MetricSample{"http_requests_total", {{"method", "post"}, {"code", "200"}}, 1395066363000, 1027}));
  EXPECT_EQ((*samples)[2].labels.at("error"), "Cannot find file:\n\"FILE.TXT\"");
  EXPECT_EQ((*samples)[2].labels.at("path"), R"(C:\DIR\FILE.TXT)");
  EXPECT_EQ((*samples)[3], (MetricSample{"metric_without_timestamp_and_labels", {}, 5, 12.47}));
  EXPECT_EQ((*samples)[4].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ((*samples)[4].unix_ms, -3982045);
  EXPECT_EQ((*samples)[6].labels.at("le"), "+Inf");
  EXPECT_EQ((*samples)[10].value, 1.7560473e+07);
}

TEST(Exposition, what_our_roles_write_is_read_with_the_values_they_counted) {
  metrics::Registry registry("io");
  registry.counter("rltune_a_total", "With a \\ and \"quotes\"", {{"what", "quote \" slash \\ line\n é"}}).add(41.5);
  registry.gauge("rltune_b", "Not a number").set(std::nan(""));
  registry.histogram("rltune_c_seconds", "Some").observe(0.5);
  const auto samples = parse_exposition(registry.text(), 5);
  ASSERT_TRUE(samples) << samples.error().message;
  const auto find = [&](const std::string& name) -> MetricSample {
    for (const MetricSample& sample : *samples)
      if (sample.name == name) return sample;
    return {};
  };
  EXPECT_EQ(find("rltune_a_total").value, 41.5);
  EXPECT_EQ(find("rltune_a_total").labels.at("what"), "quote \" slash \\ line\n é");
  EXPECT_TRUE(std::isnan(find("rltune_b").value));
  EXPECT_EQ(find("rltune_c_seconds_count").value, 1.0);
  EXPECT_EQ(find("rltune_c_seconds_sum").value, 0.5);
}

TEST(Exposition, blanks_commas_comments_and_the_end_of_openmetrics_are_no_obstacle) {
  EXPECT_EQ(*parse_exposition("\t # any comment {\n  a\t{ x = \"1\" , y=\"}\" , }\t -0.5e-3  7  \n#\n# EOF\n", 5),
            (Samples{{"a", {{"x", "1"}, {"y", "}"}}, 7, -0.5e-3}}));
  EXPECT_EQ(parse_exposition("a{} NaN\n", 5)->front().labels.size(), 0U);
  EXPECT_EQ(parse_exposition("", 5), Samples());
  EXPECT_EQ(parse_exposition("# TYPE a unknown\na -inf\n", 5)->front().value, -std::numeric_limits<double>::infinity());
}

TEST(Exposition, what_is_not_quite_the_format_is_refused_as_a_whole_with_its_line) {
  EXPECT_EQ(fault_of("a 1\nb 2"), "line 2: it does not end: the answer is cut");
  EXPECT_EQ(fault_of("a 1\r\n"), "line 1: '1?' is no number");
  EXPECT_EQ(fault_of("a\n"), "line 1: '' is no number");
  for (const char* number : {"0x10", "1,5", "nan(1)", "+-1", "--1", "1e999", "1_000", "+", "true", "Infinit"})
    EXPECT_TRUE(fault_of(std::string("a ") + number + "\n").ends_with("is no number")) << number;
  EXPECT_EQ(fault_of("a 1 1.5\n"), "line 1: '1.5' is no timestamp in milliseconds");
  EXPECT_EQ(fault_of("a 1 2 3\n"), "line 1: after the sample stands '3'");
  EXPECT_EQ(fault_of("a 1 # {trace=\"1\"} 2\n"), "line 1: '#' is no timestamp in milliseconds");
  EXPECT_EQ(fault_of("1a 1\n"), "line 1: '1a' is not the name of a metric");
  EXPECT_EQ(fault_of("<html>\n"), "line 1: '<html>' is not the name of a metric");
  EXPECT_EQ(fault_of("{\"a\"} 1\n"), "line 1: '' is not the name of a metric");
  EXPECT_EQ(fault_of("a{b:c=\"\"} 1\n"), "line 1: 'b:c' is not the name of a label");
  EXPECT_EQ(fault_of("a{__name__=\"b\"} 1\n"), "line 1: '__name__' is not the name of a label");
  EXPECT_EQ(fault_of("a{b=\"1\",b=\"2\"} 1\n"), "line 1: the label 'b' stands there twice");
  EXPECT_EQ(fault_of("a{b=1} 1\n"), "line 1: the value of the label 'b' is not in quotes");
  EXPECT_EQ(fault_of("a{b=\"1} 1\n"), "line 1: the value of a label does not end");
  EXPECT_EQ(fault_of("a{b=\"\\t\"} 1\n"), "line 1: after a backslash stands what is none of \\\\, \\\" and \\n");
  EXPECT_EQ(fault_of("a{b=\"\xff\"} 1\n"), "line 1: the value of a label is no UTF-8");
  EXPECT_EQ(fault_of("a{b=\"1\" c=\"2\"} 1\n"), "line 1: between two labels stands no comma");
  EXPECT_EQ(fault_of("a{b=\"1\"\n"), "line 1: between two labels stands no comma");
}

TEST(Exposition, families_and_series_that_contradict_themselves_are_refused) {
  EXPECT_EQ(fault_of("# TYPE a counter\n# TYPE a gauge\n"), "line 2: a second TYPE of 'a'");
  EXPECT_EQ(fault_of("a 1\n# TYPE a gauge\n"), "line 2: the TYPE of 'a' stands after its samples");
  EXPECT_EQ(fault_of("# TYPE a number\n"), "line 1: 'number' is no type of a metric");
  EXPECT_EQ(fault_of("# HELP a x\n# HELP a y\n"), "line 2: a second HELP of 'a'");
  EXPECT_EQ(fault_of("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n"), "a series of a stands there twice");
  EXPECT_EQ(fault_of("# TYPE h histogram\nh_bucket 1\n"), "line 2: h_bucket of a histogram has no label le");
  EXPECT_EQ(fault_of("# TYPE h histogram\nh_bucket{le=\"x\"} 1\n"), "line 2: le of h_bucket is no number");
  EXPECT_EQ(fault_of("# TYPE s summary\ns{quantile=\"half\"} 1\n"), "line 2: quantile of s is no number");
}

TEST(Exposition, more_than_the_limits_say_is_refused) {
  EXPECT_EQ(fault_of("a 1\nb 1\nc 1\n", {.series_max = 2}), "line 3: more than 2 series");
  EXPECT_EQ(fault_of("a 1\n", {.bytes_max = 3}), "4 bytes; 3 is the most");
  EXPECT_EQ(fault_of("a{x=\"\",y=\"\"} 1\n", {.labels_max = 1}), "line 1: more than 1 labels");
  EXPECT_EQ(fault_of("a{x=\"" + std::string(telemetry::kLabelValueMax + 1, 'x') + "\"} 1\n"),
            "line 1: the value of a label has 4097 bytes; 4096 is the most");
  EXPECT_TRUE(
      fault_of(std::string(telemetry::kMetricNameMax + 1, 'x') + " 1\n").ends_with("is not the name of a metric"));
}

}  // namespace
}  // namespace rltune::polling
