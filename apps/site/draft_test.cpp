#include "draft.hpp"

#include <gtest/gtest.h>

#include "rltune/config/document.hpp"

namespace rltune::site {
namespace {

using plant::BrowsedVariable;

BrowsedVariable number(const std::string& name, bool writable, std::optional<double> low = {},
                       std::optional<double> high = {}) {
  return {.node = "nsu=urn:plant;s=" + name,
          .path = "Plant/" + name,
          .name = name,
          .data_type = "Double",
          .is_number = true,
          .readable = true,
          .writable = writable,
          .unit = "degC",
          .low = low,
          .high = high};
}

config::Link link() {
  return {.url = "opc.tcp://plant:4840", .pki = "pki", .user = "rltune", .password_env = "PASSWORD"};
}

config::Site accepted(const std::vector<BrowsedVariable>& variables, DraftCounts& counts) {
  const std::string text = draft_site("plant", link(), variables, false, counts);
  const auto site = config::parse_site(text, "draft.yaml");
  EXPECT_TRUE(site) << site.error().message << "\n" << text;
  return site.value_or(config::Site{});
}

TEST(Draft, knows_the_role_of_what_a_server_shows_and_writes_nothing) {
  auto forecast = number("Outdoor_forecast", false, -30, 50);
  forecast.elements = 12;
  DraftCounts counts;
  const config::Site site =
      accepted({number("Air Temperature", false, -20, 60), number("Outdoor", false, -30, 50), forecast,
                number("heating", true, 0, 150), number("heating_mode", false), number("guard_alive", true),
                number("clock_step", false), number("clock_advance", true)},
               counts);
  EXPECT_EQ(site.guard.mode, "shadow");
  EXPECT_EQ(site.clock, config::ClockKind::plant);
  ASSERT_EQ(site.tags.size(), 8U);
  EXPECT_EQ(site.tags[0].name, "air_temperature");
  EXPECT_EQ(site.tags[0].operating->high, 60.0);
  EXPECT_EQ(site.tags[1].role, config::TagRole::exogenous);
  EXPECT_EQ(site.tags[2].role, config::TagRole::forecast);
  EXPECT_EQ(site.tags[2].forecasts, "outdoor");
  EXPECT_EQ(site.tags[3].role, config::TagRole::setpoint);
  EXPECT_EQ(site.tags[4].role, config::TagRole::mode);
  EXPECT_EQ(site.guard.guard_alive, "guard_alive");
  EXPECT_EQ(site.guard.outputs[0].limits.high, 150.0);
  EXPECT_EQ(counts.outputs, 1U);
}

TEST(Draft, leaves_out_what_it_cannot_place_and_says_why) {
  auto text = number("label", false), hidden = number("hidden", false), array = number("schedule", true, 0, 1);
  text.is_number = hidden.readable = false;
  array.elements = 24;
  DraftCounts counts;
  const std::vector<BrowsedVariable> variables{number("t", false), text, hidden, array, number("valve", true)};
  EXPECT_EQ(accepted(variables, counts).tags.size(), 1U);
  EXPECT_EQ(counts.left_out, 4U);
  const std::string draft = draft_site("plant", link(), variables, false, counts);
  EXPECT_NE(draft.find("nsu=urn:plant;s=valve   can be written and has no range on the server"), std::string::npos);
}

TEST(Draft, a_gateway_is_on_this_host_and_its_administrator_has_no_password_yet) {
  DraftCounts counts;
  const std::string text = draft_site("plant", link(), {number("t", false)}, true, counts);
  const auto site = config::parse_site(text, "draft.yaml");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_TRUE(site->gateway.enabled);
  EXPECT_EQ(site->gateway.address, "127.0.0.1");
  EXPECT_TRUE(config::check(draft_users("ada")).faults.empty()) << draft_users("ada");
  EXPECT_FALSE(config::check(draft_users("ada'}\n  - {name: eve, role: admin}")).faults.empty());
}

TEST(Draft, hostile_names_units_and_texts_stay_what_they_are) {
  auto evil = number("1x'; - &a *a: #{}\n]", false, 0, 1);
  evil.node = "nsu=urn:plant;s=it's: #odd";
  evil.unit = "%'\nrole: setpoint";
  evil.description = "line one\nguard: {mode: automatic}";
  auto reserved = number("min", false), long_name = number(std::string(5000, 'a'), false);
  DraftCounts counts;
  const config::Site site =
      accepted({evil, evil, reserved, long_name, number("Min", false), number("", false)}, counts);
  EXPECT_EQ(site.guard.mode, "shadow");
  EXPECT_EQ(site.tags[0].name, "tag_1x_a_a");
  EXPECT_EQ(site.tags[0].node, "nsu=urn:plant;s=it's: #odd");
  EXPECT_EQ(site.tags[0].role, config::TagRole::measurement);
}

TEST(Draft, ranges_that_are_none_are_not_believed) {
  DraftCounts counts;
  const double infinity = std::numeric_limits<double>::infinity();
  const config::Site site =
      accepted({number("a", false, 5, 5), number("b", false, -infinity, infinity), number("c", false, 3, -3)}, counts);
  for (const config::Tag& tag : site.tags) EXPECT_FALSE(tag.operating);
}

}  // namespace
}  // namespace rltune::site
