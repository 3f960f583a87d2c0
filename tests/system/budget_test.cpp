// Two agents of one site that share what there is and together want more: who gets how much, by the plant's own record.
#include "pilot_site.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::PilotSite;

constexpr double kLimit = 12.0;

// Always all there is: each pump's policy asks for its highest voltage.
void want_everything(policy::Artifact& artifact) {
  std::ranges::fill(artifact.network.layers.back().weight, 0.0F);
  std::ranges::fill(artifact.network.layers.back().bias, 5.0F);
}

// Two pumps on one supply; ten decisions a second, each a step of half a volt at most.
class SharedBudget : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::PilotOptions options;
    options.plant = "four-tank";
    options.lockstep = false;
    options.speed = 100.0;
    options.period_s = 0.1;
    options.agents = {{"one", {"pump_voltage_1"}}, {"two", {"pump_voltage_2"}}};
    options.change_policy = want_everything;
    options.rule = [](const std::string& tag, double low, double high) {
      return testing::whole_range(tag, low, high) + "      step_max: 0.5\n";
    };
    options.twin_arguments = {"--shed-after", "0"};
    options.edits = {{"rltune/site/v1", "rltune/site/v2"},
                     {"guard:\n",
                      "budgets:\n  - name: supply\n    unit: V\n    limit: 12\n"
                      "    outputs: [pump_voltage_1, pump_voltage_2]\n"
                      "    priorities: {pump_voltage_1: 0.6, pump_voltage_2: 0.4}\n"
                      "groups:\n  - name: tanks\n    agents: [one, two]\nguard:\n"}};
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(5)) << site_->everything();
  }

  bool reach(double one, double two) {
    return PilotSite::eventually(
        [&] {
          return std::abs(site_->value("pump_voltage_1") - one) < 1e-3 &&
                 std::abs(site_->value("pump_voltage_2") - two) < 1e-3;
        },
        20s);
  }

  // The highest that both ever were together, as the plant took it down.
  double highest_sum() {
    testing::PlantRecord one = site_->record("pump_voltage_1"), two = site_->record("pump_voltage_2");
    EXPECT_GT(one.size(), 2U);
    EXPECT_GT(two.size(), 2U);
    std::size_t i = 0, j = 0;
    double highest = one[0].value + two[0].value;
    while (i + 1 < one.size() || j + 1 < two.size()) {
      const bool first = j + 1 >= two.size() || (i + 1 < one.size() && one[i + 1].time_s <= two[j + 1].time_s);
      ++(first ? i : j);
      highest = std::max(highest, one[i].value + two[j].value);
    }
    return highest;
  }

  std::unique_ptr<PilotSite> site_;
};

TEST_F(SharedBudget, each_has_its_part_and_the_sum_never_passes_the_limit) {
  ASSERT_TRUE(reach(7.2, 4.8)) << site_->value("pump_voltage_1") << " " << site_->value("pump_voltage_2");
  // The one that has less than it wants is told why, on record.
  const auto why = static_cast<std::uint32_t>(guard::Reason::budget);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto decisions = site_->recorded();
        return std::ranges::any_of(decisions, [&](const historian::Decision& decision) {
          return decision.agent == "two" && (decision.outputs[0].reasons & why) != 0;
        });
      },
      10s));
  EXPECT_LE(highest_sum(), kLimit + 1e-5);
}

TEST_F(SharedBudget, the_sum_holds_while_agents_and_io_die) {
  ASSERT_TRUE(reach(7.2, 4.8));
  for (const char* role : {"agent.one", "io", "agent.two", "io"}) {
    const auto victim = site_->role(role).pid();
    ASSERT_GT(victim, 0) << role;
    ::kill(victim, SIGKILL);
    ASSERT_TRUE(PilotSite::eventually(
        [&] {
          const auto state = site_->role(role);
          return state.state() == "healthy" && state.pid() != victim;
        },
        20s))
        << role;
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }
  ASSERT_TRUE(reach(7.2, 4.8));
  EXPECT_LE(highest_sum(), kLimit + 1e-5);
}

TEST_F(SharedBudget, a_person_cannot_pass_it_either) {
  ASSERT_TRUE(reach(7.2, 4.8));
  v1::ModeRequest mode;
  mode.set_mode("manual");
  ASSERT_TRUE(site_->ask<v1::ModeAnswer>("io", "io.Mode", mode));
  v1::WriteRequest write;
  write.set_tag("pump_voltage_2");
  write.set_value(10.0);
  write.set_user("operator");
  const auto answer = site_->ask<v1::WriteAnswer>("io", "io.Write", write);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_NE(answer->verdict().reasons() & static_cast<std::uint32_t>(guard::Reason::budget), 0U);
  EXPECT_NEAR(site_->read("pump_voltage_2"), 4.8, 1e-3);
  EXPECT_LE(highest_sum(), kLimit + 1e-5);
}

}  // namespace
}  // namespace rltune
