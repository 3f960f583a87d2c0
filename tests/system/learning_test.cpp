// Learning on a running site: new weights act after the gate, learning survives kills and a corrupt checkpoint, and
// every decision of the season can be computed again to the same bits.
#include <set>

#include "pilot_site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr int kDays = 360;  // longer than the test takes

nlohmann::json audit(const PilotSite& site, std::vector<std::string> arguments) {
  std::vector<std::string> command{std::string(RLTUNE_BIN_DIR) + "/rltune", "audit"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--data", site.path("site/data"), "--json"});
  ChildProcess process(command, site.path("audit.log"));
  std::string json;
  while (const auto line = process.read_line(60s)) json += *line;
  EXPECT_FALSE(json.empty()) << read_file(site.path("audit.log")).value_or("");
  return nlohmann::json::parse(json, nullptr, false);
}

// The weights behind the recorded decisions.
std::set<std::string> policies_that_acted(const PilotSite& site) {
  std::set<std::string> hashes;
  const auto shown = audit(site, {"show", "--limit", "1000000"});
  for (const auto& decision : shown["decisions"]) hashes.insert(decision["policy_sha256"].get<std::string>());
  return hashes;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::vector<std::filesystem::path> checkpoints(const PilotSite& site) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(site.path("site/data/learner/climate"), ignored))
    if (entry.path().extension() == ".checkpoint") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
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

TEST(Learning, every_decision_of_a_killed_and_learning_season_is_computed_again_to_the_same_bits) {
  PilotSite site({.days = kDays,
                  .learning = true,
                  .twin_arguments = {"--start", "2014-02-09", "--weather-seed", "1", "--days", std::to_string(kDays),
                                     "--forecast-leads", "0"}});
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 100.0; }, 60s)) << site.everything();
  ASSERT_NO_FATAL_FAILURE(kill_role(site, "agent.climate"));
  ASSERT_TRUE(PilotSite::eventually([&] { return site.log("agent.climate").contains("new weights act"); }, 120s))
      << site.log("learner.climate") << site.log("agent.climate");
  // The agent goes on by the weights it learnt, also when it is killed; io by what it has on disk.
  ASSERT_NO_FATAL_FAILURE(kill_role(site, "agent.climate"));
  EXPECT_TRUE(site.log("agent.climate").contains("acting by weights learnt on site")) << site.log("agent.climate");
  ASSERT_NO_FATAL_FAILURE(kill_role(site, "io"));
  const std::uint64_t before = site.decisions();
  ASSERT_TRUE(PilotSite::eventually([&] { return site.decisions() > before + 20; }, 30s)) << site.everything();

  // A learner killed, its newest checkpoint torn: it goes on from the one before.
  ASSERT_TRUE(PilotSite::eventually([&] { return checkpoints(site).size() >= 2; }, 30s)) << site.log("learner.climate");
  const pid_t learner = site.role("learner.climate").pid();
  const std::size_t went_on = count(site.log("learner.climate"), "learning goes on from a checkpoint");
  ::kill(learner, SIGSTOP);
  const auto newest = checkpoints(site).back();
  std::filesystem::resize_file(newest, std::filesystem::file_size(newest) / 2);
  ::kill(learner, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually(
      [&] { return count(site.log("learner.climate"), "learning goes on from a checkpoint") > went_on; }, 20s))
      << site.log("learner.climate");
  EXPECT_TRUE(site.log("learner.climate").contains("a checkpoint is skipped")) << site.log("learner.climate");

  site.up().signal(SIGTERM);
  ASSERT_TRUE(site.up().wait(20s)) << site.everything();
  const auto replayed = audit(site, {"replay", "--policy", site.path("site/policy"), "--all"});
  EXPECT_EQ(replayed["different"], 0) << replayed.dump(2);
  EXPECT_EQ(replayed["unknown_policy"], 0) << replayed.dump(2);
  EXPECT_GE(replayed["same"].get<int>(), 1000) << replayed.dump(2);
  // The artifact's, and at least one that was learnt here.
  const auto acted = policies_that_acted(site);
  EXPECT_TRUE(acted.contains(site.policy_sha256()));
  EXPECT_GE(acted.size(), 2U);
  std::printf("computed again: %d decisions\n", replayed["same"].get<int>());
}

}  // namespace
}  // namespace rltune
