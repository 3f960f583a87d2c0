// What a running site recorded becomes data to learn from, and what was learned from it a policy of the same plant:
// real roles, killed on the way, and the command line on what they left behind.
#include <set>

#include "pilot_site.hpp"
#include "rltune/dataset/dataset.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr int kDays = 16;  // 768 decisions, so few that no weights learnt on site act yet

nlohmann::json command(const PilotSite& site, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{std::string(RLTUNE_BIN_DIR) + "/rltune"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.push_back("--json");
  ChildProcess process(all, site.path("command.log"));
  std::string json;
  while (const auto line = process.read_line(120s)) json += *line;
  EXPECT_FALSE(json.empty()) << read_file(site.path("command.log")).value_or("");
  return nlohmann::json::parse(json, nullptr, false);
}

void kill_role(PilotSite& site, const std::string& role) {
  const pid_t pid = site.role(role).pid();
  ASSERT_GT(pid, 0) << role;
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto now = site.role(role);
        return now.pid() != pid && now.state() == "healthy";
      },
      20s))
      << role << "\n"
      << site.everything();
}

std::vector<float> row(const std::vector<float>& table, std::size_t at, std::size_t width) {
  const auto from = table.begin() + static_cast<std::ptrdiff_t>(at * width);
  return {from, from + static_cast<std::ptrdiff_t>(width)};
}

// How many steps of the data are two decisions of the log, one right after the other.
std::size_t steps_of_the_log(const dataset::Dataset& data, const std::vector<historian::Decision>& decisions) {
  std::map<std::vector<float>, TimePoint> times;
  for (const historian::Decision& decision : decisions) times[decision.observation] = decision.time;
  const std::size_t width = data.observation.size();
  std::size_t right = 0;
  for (const dataset::Episode& episode : data.episodes)
    for (std::size_t step = 0; step < episode.steps(); ++step) {
      const auto before = times.find(row(episode.observations, step, width));
      const auto after = times.find(row(episode.observations, step + 1, width));
      right += before != times.end() && after != times.end() && after->second - before->second == 1800s ? 1 : 0;
    }
  return right;
}

TEST(Records, of_a_killed_season_become_data_that_a_policy_is_learned_from) {
  PilotSite site({.days = kDays,
                  .learning = true,
                  .twin_arguments = {"--start", "2014-02-09", "--weather-seed", "1", "--days", std::to_string(kDays),
                                     "--forecast-leads", "0"}});
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  ASSERT_NO_FATAL_FAILURE(kill_role(site, "agent.climate"));
  ASSERT_NO_FATAL_FAILURE(kill_role(site, "io"));
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 48.0 * kDays; }, 120s))
      << site.everything();
  site.up().signal(SIGTERM);
  ASSERT_TRUE(site.up().wait(20s)) << site.everything();

  const auto decisions = site.recorded();
  const std::string log = site.path("log.dataset"), history = site.path("history.dataset");
  const auto imported = command(site, {"dataset", "import", "--decision-log", site.site_file(), "--out", log});
  EXPECT_GE(imported["transitions"].get<std::size_t>(), decisions.size() - 20) << imported.dump(2);
  EXPECT_LT(imported["transitions"].get<std::size_t>(), decisions.size());
  const auto of_log = dataset::load(log);
  ASSERT_TRUE(of_log) << of_log.error().message;
  EXPECT_EQ(steps_of_the_log(*of_log, decisions), of_log->transitions());

  // The historian has the same season; what it makes of it is what the agent saw. What io had taken and not yet stored
  // when it was killed (a fifth of a second, here a hundred periods) is in nobody's records, and a value that only that
  // would have told of is not missed.
  const auto replayed = command(site, {"dataset", "import", "--historian", site.site_file(), "--out", history});
  EXPECT_GE(replayed["transitions"].get<std::size_t>(), decisions.size() / 2) << replayed.dump(2);
  const auto of_history = dataset::load(history);
  ASSERT_TRUE(of_history) << of_history.error().message;
  EXPECT_GE(steps_of_the_log(*of_history, decisions) + 2, of_history->transitions());

  const std::string policy = site.path("learned");
  for (const char* algorithm : {"bc", "td3-bc", "iql"}) {
    const std::string folder = policy + "/" + algorithm;
    const auto trained = command(site, {"policy",
                                        "train",
                                        "--plant",
                                        "lettuce",
                                        "--forecast-leads",
                                        "0",
                                        "--days",
                                        "16",
                                        "--algorithm",
                                        algorithm,
                                        "--dataset",
                                        log,
                                        "--steps",
                                        "400",
                                        "--hyper",
                                        "hidden=32x32",
                                        "--hyper",
                                        "batch_size=64",
                                        "--no-validation",
                                        "--threads",
                                        "1",
                                        "--out",
                                        folder});
    EXPECT_EQ(trained["updates"], 400) << algorithm << trained.dump(2);
  }
  // Cloned of the data, it does what the site's policy did.
  const auto clone = policy::load_artifact(policy + "/bc");
  ASSERT_TRUE(clone) << clone.error().message;
  auto network = nn::PolicyNetwork::create(clone->network);
  ASSERT_TRUE(network);
  double error = 0.0, spread = 0.0;
  const std::size_t width = of_log->observation.size(), actions = of_log->action.size();
  std::vector<float> out(actions);
  for (const dataset::Episode& episode : of_log->episodes)
    for (std::size_t step = 0; step < episode.steps(); ++step) {
      network->act({&episode.observations[step * width], width}, out);
      for (std::size_t i = 0; i < actions; ++i) {
        const double wanted = static_cast<double>(episode.actions[step * actions + i]);
        error += std::pow(static_cast<double>(out[i]) - wanted, 2);
        spread += wanted * wanted;
      }
    }
  EXPECT_LT(error, 0.3 * spread);
  const auto evaluated = command(site, {"policy", "evaluate", "--plant", "lettuce", "--days", "16", "--episodes", "2",
                                        "--controller", policy + "/bc"});
  EXPECT_FALSE(evaluated.is_discarded());
}

}  // namespace
}  // namespace rltune
