#include "loop_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::io {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two tags: what came off the field, and what heating it cost.
config::Site make_site() {
  config::Site site;
  config::Tag fruit, power;
  fruit.name = "fruit";
  fruit.unit = "kg";
  power.name = "power";
  power.unit = "kW";
  site.tags = {fruit, power};
  config::Agent agent;
  agent.id = "climate";
  agent.learning.reward = "fruit - previous(fruit)";
  agent.learning.costs = {{"energy", "0.1 * power"}};
  agent.learning.baseline_reward = 0.5;
  site.agents = {agent};
  return site;
}

class LoopMetricsTest : public testing::Test {
 protected:
  void decide(double fruit, double power, std::string_view origin = "policy", bool automatic = true,
              Quality quality = Quality::good) {
    const std::array latest{Sample{.tag = 0, .value = fruit, .quality = quality},
                            Sample{.tag = 1, .value = power, .quality = Quality::good}};
    metrics_.period_ends(0, latest);
    metrics_.decided(0, origin, automatic, TimePoint(std::chrono::hours(1)));
  }
  config::Site site_ = make_site();
  metrics::Registry registry_{"io"};
  LoopMetrics metrics_{registry_, site_};
};

TEST_F(LoopMetricsTest, business_value_is_the_sites_reward_less_its_costs) {
  decide(10.0, 1.0);
  EXPECT_THAT(registry_.text(),
              HasSubstr("rltune_business_value_periods_total{agent=\"climate\",in_charge=\"policy\"} 0\n"));
  decide(12.0, 3.0);
  decide(15.0, 2.0);
  const std::string text = registry_.text();
  // (2 - 0.3) + (3 - 0.2), and 0.5 less for each against the baseline.
  EXPECT_THAT(text, HasSubstr("rltune_business_value_reward_earned{agent=\"climate\",in_charge=\"policy\"} 4.5\n"));
  EXPECT_THAT(text, HasSubstr("rltune_business_value_cost_spent{agent=\"climate\",part=\"energy\"} 0.5\n"));
  EXPECT_THAT(text, HasSubstr("rltune_business_value_gain_earned{agent=\"climate\"} 3.5\n"));
  EXPECT_THAT(text, HasSubstr("rltune_business_value_periods_total{agent=\"climate\",in_charge=\"policy\"} 2\n"));
}

TEST_F(LoopMetricsTest, a_period_is_credited_to_whoever_was_in_charge_of_it) {
  decide(0.0, 0.0, "fallback");
  decide(1.0, 0.0, "policy");
  decide(3.0, 0.0, "policy", false);
  decide(7.0, 0.0, "policy");
  const std::string text = registry_.text();
  EXPECT_THAT(text, HasSubstr("reward_earned{agent=\"climate\",in_charge=\"fallback\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("reward_earned{agent=\"climate\",in_charge=\"policy\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("reward_earned{agent=\"climate\",in_charge=\"others\"} 4\n"));
}

TEST_F(LoopMetricsTest, a_bad_value_makes_its_periods_unknown_and_spoils_no_sum) {
  decide(1.0, 0.0);
  decide(2.0, 0.0);
  decide(9.0, 0.0, "policy", true, Quality::bad);
  decide(9.0, 0.0);
  decide(10.0, 0.0);
  const std::string text = registry_.text();
  EXPECT_THAT(text, HasSubstr("rltune_business_value_unknown_total{agent=\"climate\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("reward_earned{agent=\"climate\",in_charge=\"policy\"} 2\n"));
}

TEST_F(LoopMetricsTest, an_interlock_ends_no_period) {
  decide(1.0, 0.0);
  metrics_.decided(0, "interlock", true, {});
  decide(2.0, 0.0);
  EXPECT_THAT(registry_.text(), HasSubstr("periods_total{agent=\"climate\",in_charge=\"policy\"} 1\n"));
  EXPECT_THAT(registry_.text(), HasSubstr("decisions_total{agent=\"climate\",origin=\"interlock\"} 1\n"));
}

TEST_F(LoopMetricsTest, a_tag_shows_its_latest_good_value_and_every_sample_its_quality) {
  metrics_.sample(
      {.tag = 0, .value = 2.5, .received_time = TimePoint(std::chrono::seconds(10)), .quality = Quality::good});
  metrics_.sample(
      {.tag = 0, .value = 7.0, .received_time = TimePoint(std::chrono::seconds(12)), .quality = Quality::bad});
  metrics_.sample({.tag = 99, .value = 7.0, .quality = Quality::good});
  const std::string text = registry_.text();
  EXPECT_THAT(text, HasSubstr("rltune_process_data_tag_value{tag=\"fruit\",unit=\"kg\"} 2.5\n"));
  EXPECT_THAT(text, HasSubstr("rltune_process_data_tag_timestamp_seconds{tag=\"fruit\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("rltune_process_data_tag_value{tag=\"power\",unit=\"kW\"} Nan\n"));
  EXPECT_THAT(text, HasSubstr("samples_total{quality=\"bad\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("samples_total{quality=\"good\"} 2\n"));
}

TEST_F(LoopMetricsTest, a_persons_write_belongs_to_no_agent) {
  metrics_.judged(1, {.action = guard::Action::accepted});
  metrics_.decided(1, "manual", false, {});
  EXPECT_THAT(registry_.text(), HasSubstr("decisions_total{agent=\"\",origin=\"manual\"} 1\n"));
}

}  // namespace
}  // namespace rltune::io
