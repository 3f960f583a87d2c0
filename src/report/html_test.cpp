#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "rltune/report/report.hpp"

namespace rltune::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Report small() {
  Report report{
      .title = "Season <1> & more", .subtitle = "a \"test\"", .verdict = "passed", .verdict_tone = Tone::good};
  report.facts = {{"weather", "synthetic"}};
  report.figures = {{"return", "2.91 EUR/m2", "rule 2.1", Tone::good}};
  Section section{.title = "Climate", .text = "First.\n\nSecond."};
  Chart chart{.title = "Temperature", .x_label = "day", .y_label = "degC", .x = {0, 1, 2}};
  chart.series = {{.label = "air </script>",
                   .unit = "degC",
                   .values = {10.0, std::numeric_limits<double>::quiet_NaN(), 12.123456789}}};
  chart.bands = {{10.0, std::numeric_limits<double>::infinity(), "band"}};
  chart.events = {{1.0, 0.0, "twin killed", Tone::bad}};
  section.charts = {chart};
  section.tables = {
      {"Returns", "", {"controller", "return"}, {{{"policy"}, {"2.91", Tone::good}}, {{"rule"}, {"2.1"}}}, {0}}};
  section.bars = {{"Economics",
                   "",
                   "EUR/m2",
                   {"policy"},
                   {{.label = "crop", .values = {6.0}}, {.label = "heat", .values = {-2.0}}}}};
  report.sections = {section};
  return report;
}

nlohmann::json data_of(const std::string& html) {
  const std::string open = "id=\"report-data\">";
  const std::size_t from = html.find(open) + open.size();
  return nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
}

TEST(Report, loads_nothing_from_anywhere) {
  const std::string html = render_html(small());
  for (const char* outside : {"src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest"})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  EXPECT_THAT(html, HasSubstr("uPlot"));  // the library itself is inside
  EXPECT_GT(html.size(), 50'000U);
}

TEST(Report, text_is_escaped_and_data_cannot_end_its_script) {
  const std::string html = render_html(small());
  EXPECT_THAT(html, HasSubstr("Season &lt;1&gt; &amp; more"));
  EXPECT_THAT(html, HasSubstr("a &quot;test&quot;"));
  EXPECT_THAT(html, Not(HasSubstr("air </script>")));
  EXPECT_EQ(data_of(html)["charts"][0]["series"][0]["label"], "air </script>");
}

TEST(Report, values_that_are_not_finite_become_gaps_and_open_ends) {
  const auto chart = data_of(render_html(small()))["charts"][0];
  EXPECT_EQ(chart["series"][0]["values"][0], 10.0);
  EXPECT_TRUE(chart["series"][0]["values"][1].is_null());
  EXPECT_EQ(chart["series"][0]["values"][2], 12.1235);
  EXPECT_EQ(chart["bands"][0]["low"], 10.0);
  EXPECT_TRUE(chart["bands"][0]["high"].is_null());
  EXPECT_EQ(chart["events"][0]["to"], 1.0);  // a moment, not a span that runs backwards
}

TEST(Report, tables_stand_in_the_page_itself) {
  const std::string html = render_html(small());
  EXPECT_THAT(html,
              HasSubstr("<tr class=\"emphasised\"><td class=\"plain\">policy</td><td class=\"good\">2.91</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<p>First.</p>\n<p>Second.</p>"));
  EXPECT_THAT(html, HasSubstr("2.91 <small>EUR/m2</small>"));
}

TEST(ReportDeathTest, a_series_of_another_length_is_our_bug) {
  Report report = small();
  report.sections[0].charts[0].x.push_back(3.0);
  EXPECT_DEATH(render_html(report), "chart.x.size");
}

}  // namespace
}  // namespace rltune::report
