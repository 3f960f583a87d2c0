#include "rltune/config/loosening.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"

namespace rltune::config {
namespace {

// How many fields of the site a change of one line loosens.
std::size_t loosens(const std::string& from, const std::string& to) {
  const std::string was = example_shared_site();
  const auto found = loosened(was, replaced(was, from, to));
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found ? found->size() : 99;
}

std::size_t opens(const std::string& was, const std::string& from, const std::string& to) {
  const auto found = loosened(was, replaced(was, from, to));
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found ? found->size() : 99;
}

TEST(Loosening, a_wider_limit_is_told_with_what_it_was_and_becomes) {
  const std::string was = example_shared_site();
  const auto found = loosened(was, replaced(was, "{low: 0, high: 150}", "{low: 0, high: 190}"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<std::string>{"guard.outputs[heating].limits: 0 to 150 becomes 0 to 190"}));
}

TEST(Loosening, every_rule_of_the_guard_has_a_direction) {
  struct Line {
    std::string was, stricter, looser;
  };
  for (const Line& line :
       {Line{"{low: 0, high: 150}", "{low: 0, high: 140}", "{low: 0, high: 151}"},
        Line{"rate_per_s: 1", "rate_per_s: 0.5", "rate_per_s: 2"}, Line{"step_max: 15", "step_max: 1", "step_max: 16"},
        Line{"limit: 180", "limit: 170", "limit: 190"},
        Line{"operating: {low: 0, high: 200}", "operating: {low: 0, high: 190}", "operating: {low: 0, high: 210}"}}) {
    EXPECT_EQ(loosens(line.was, line.stricter), 0U) << line.stricter;
    EXPECT_EQ(loosens(line.was, line.looser), 1U) << line.looser;
  }
}

TEST(Loosening, the_lower_limit_may_rise_and_not_sink) {
  const std::string was = replaced(replaced(example_shared_site(), "{low: 0, high: 150}", "{low: 10, high: 150}"),
                                   "safe_value: 0", "safe_value: 20");
  EXPECT_EQ(opens(was, "{low: 10, high: 150}", "{low: 11, high: 150}"), 0U);
  EXPECT_EQ(opens(was, "{low: 10, high: 150}", "{low: 9, high: 100}"), 1U);
}

TEST(Loosening, a_limit_of_zero_is_no_limit) {
  EXPECT_EQ(loosens("rate_per_s: 1", "rate_per_s: 0"), 1U);
  EXPECT_EQ(loosens("step_max: 15", "minimum_on_s: 0"), 1U) << "left out, it is none";
  const std::string without = replaced(example_shared_site(), "      rate_per_s: 1\n", "");
  EXPECT_EQ(opens(without, "      step_max: 15", "      rate_per_s: 3\n      step_max: 15"), 0U);
}

TEST(Loosening, run_times_may_grow_and_not_shrink) {
  const std::string was = replaced(example_shared_site(), "step_max: 15", "step_max: 15\n      minimum_on_s: 60");
  EXPECT_EQ(opens(was, "minimum_on_s: 60", "minimum_on_s: 90"), 0U);
  EXPECT_EQ(opens(was, "minimum_on_s: 60", "minimum_on_s: 59"), 1U);
}

TEST(Loosening, an_interlock_may_come_and_neither_go_nor_change) {
  EXPECT_EQ(loosens("require: temperature < 38", "require: temperature < 36"), 1U) << "nobody proves which is stricter";
  EXPECT_EQ(loosens("    - name: too_hot\n", "    - name: hot\n"), 1U);
  EXPECT_EQ(loosens("    - name: too_hot\n", "    - name: cold\n      require: temperature > 1\n    - name: too_hot\n"),
            0U);
  EXPECT_EQ(loosens("require: temperature < 38", "require: temperature < 38\n      outputs: [rail]"), 1U);
}

TEST(Loosening, what_the_guard_judges_by_stays_what_it_is) {
  EXPECT_EQ(loosens("nsu=urn:pilot;s=temperature", "nsu=urn:pilot;s=other"), 1U);
  EXPECT_EQ(loosens("nsu=urn:pilot;s=heating_mode", "nsu=urn:pilot;s=other"), 1U);
  EXPECT_EQ(loosens("mode_remote: [2]", "mode_remote: [1, 2]"), 1U);
  EXPECT_EQ(loosens("nsu=urn:pilot;s=outdoor", "nsu=urn:pilot;s=elsewhere"), 0U) << "no rule looks at it";
  EXPECT_EQ(loosens("  agent_alive: agent_alive", "  heartbeat_s: 5\n  agent_alive: agent_alive"), 1U);
}

TEST(Loosening, an_output_that_was_not_written_before_is_a_new_freedom) {
  const std::string was = replaced(example_site(), "rltune/site/v1", "rltune/site/v2");
  EXPECT_EQ(loosened(was, example_shared_site()).value(),
            (std::vector<std::string>{"guard.outputs[rail]: is written for the first time"}));
  EXPECT_TRUE(loosened(example_shared_site(), was).value().size() == 1U) << "the boiler's budget is gone";
}

TEST(Loosening, what_is_no_limit_is_anybodys) {
  for (const auto& [from, to] : {std::pair{"period_s: 60", "period_s: 30"}, std::pair{"name: pilot", "name: south"},
                                 std::pair{"fallback: rule", "fallback: hold"}})
    EXPECT_EQ(loosens(from, to), 0U) << to;
  EXPECT_EQ(loosened("", example_retention())->size(), 0U);
  EXPECT_FALSE(loosened(example_users(), example_retention()));
}

TEST(Loosening, nobody_makes_a_second_account_of_their_own_that_could_agree) {
  const std::string was = example_users();
  EXPECT_EQ(opens(was, "role: operator", "role: engineer"), 1U);
  EXPECT_EQ(opens(was, "sign_in:\n", "  - {name: eve, role: engineer, password_hash_file: secrets/eve}\nsign_in:\n"),
            1U);
  EXPECT_EQ(opens(was, "sign_in:\n", "  - {name: eve, role: viewer, password_hash_file: secrets/eve}\nsign_in:\n"), 0U);
  EXPECT_EQ(opens(was, "secrets/grace.hash", "secrets/eve"), 1U);
  EXPECT_EQ(opens(was, "https://login.example.com", "https://login.example.org"), 1U);
  EXPECT_EQ(opens(was, "session_hours: 8", "session_hours: 4"), 0U);
  EXPECT_EQ(opens(was, "role: operator", "role: viewer"), 0U);
  const std::string asked = replaced(was, "  issuer:", "  required_acr: [gold]\n  required_amr: [otp, pin]\n  issuer:");
  EXPECT_EQ(opens(asked, "  required_acr: [gold]\n", ""), 1U) << "any sign-in at the provider would do";
  EXPECT_EQ(opens(asked, "[gold]", "[gold, tin]"), 1U);
  EXPECT_EQ(opens(asked, "[otp, pin]", "[otp]"), 1U);
  EXPECT_EQ(opens(was, "  issuer:", "  required_amr: [otp]\n  issuer:"), 0U);
  const std::string off = replaced(was, "role: operator", "role: operator\n    enabled: false");
  EXPECT_EQ(opens(was, "role: operator", "role: operator\n    enabled: false"), 0U);
  EXPECT_EQ(opens(off, "    enabled: false\n", ""), 1U);
}

}  // namespace
}  // namespace rltune::config
