// Lockstep: the closed loop over encrypted OPC UA returns what `rltune policy evaluate` returns, also when the
// agent or the twin is killed on the way.
#include "pilot_site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr const char* kStart = "2014-02-09";

// What `policy evaluate` says of the site's policy over the first days of the season.
double evaluated_return(const PilotSite& site, int days) {
  ChildProcess evaluate(
      {std::string(RLTUNE_BIN_DIR) + "/rltune", "policy", "evaluate", "--plant", "lettuce", "--controller",
       site.path("site/policy"), "--start", kStart, "--days", std::to_string(days), "--weather-seed", "1", "--json"},
      site.path("evaluate.log"));
  std::string json;
  while (const auto line = evaluate.read_line(120s)) json += *line;
  EXPECT_FALSE(json.empty()) << read_file(site.path("evaluate.log")).value_or("");
  return json.empty() ? std::nan("") : nlohmann::json::parse(json)["return"].get<double>();
}

testing::PilotOptions lockstep(int days) {
  return {.days = days,
          .twin_arguments = {"--start", kStart, "--weather-seed", "1", "--days", std::to_string(days),
                             "--forecast-leads", "0"}};
}

bool season_over(PilotSite& site, int days) {
  return PilotSite::eventually([&] { return site.value("clock_step") >= 48.0 * days; }, 120s);
}

TEST(ClosedLoop, a_whole_season_returns_what_the_evaluation_returns) {
  PilotSite site(lockstep(40));
  ASSERT_NO_FATAL_FAILURE(site.start());
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(season_over(site, 40)) << site.everything();
  std::printf("a season in closed loop: %.1f s\n",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 40), 1e-6) << site.everything();
  const auto status = site.io_status();
  ASSERT_TRUE(status);
  // Three outputs a step, and whatever was decided after the harvest; no rule had to interfere.
  EXPECT_GE(status->verdicts().at("accepted"), 3U * 1920U);
  EXPECT_EQ(status->verdicts().size(), 1U);
}

TEST(ClosedLoop, a_killed_agent_costs_time_and_nothing_else) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  ::kill(site.role("agent.climate").pid(), SIGKILL);
  ASSERT_TRUE(season_over(site, 10)) << site.everything();
  // Within io's patience for a step the successor decides it: the same policy on the same values.
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 10), 1e-6) << site.everything();
}

TEST(ClosedLoop, a_twin_killed_and_back_costs_time_and_nothing_else) {
  PilotSite site(lockstep(10));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  site.twin().signal(SIGKILL);
  site.twin().wait(5s);
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_TRUE(season_over(site, 10)) << site.everything();
  EXPECT_NEAR(site.value("season_return"), evaluated_return(site, 10), 1e-6) << site.everything();
}

}  // namespace
}  // namespace rltune
