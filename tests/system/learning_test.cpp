// Learning on a running site: new weights act after the gate, learning survives kills and corrupt checkpoints, and
// every decision of the season can be computed again to the same bits.
#include <map>
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

// What the site allows to try, by set-point.
const std::map<std::string, std::pair<double, double>> kTried{
    {"heating", {10.0, 140.0}}, {"ventilation", {0.0, 7.5}}, {"co2_supply", {0.0, 1.2}}};

TEST(Learning, explores_inside_the_sites_ranges_in_automatic_mode_and_every_bit_is_on_record) {
  std::string allowed = "checkpoint_minutes: 0.05\n      explore: true\n      explore_within:\n";
  for (const auto& [output, range] : kTried)
    allowed += std::format("        {}: {{low: {}, high: {}}}\n", output, range.first, range.second);
  PilotSite site({.days = kDays,
                  .learning = true,
                  .twin_arguments = {"--start", "2014-02-09", "--weather-seed", "1", "--days", std::to_string(kDays),
                                     "--forecast-leads", "0"},
                  .edits = {{{"checkpoint_minutes: 0.05\n", allowed}}}});
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 300.0; }, 60s)) << site.everything();
  v1::ModeRequest shadow;
  shadow.set_mode("shadow");
  ASSERT_TRUE(site.ask<v1::ModeAnswer>("io", "io.Mode", shadow));
  const std::uint64_t before = site.decisions();
  ASSERT_TRUE(PilotSite::eventually([&] { return site.decisions() > before + 100; }, 60s)) << site.everything();
  site.up().signal(SIGTERM);
  ASSERT_TRUE(site.up().wait(20s)) << site.everything();

  int tried = 0, left_alone = 0, tried_in_shadow = 0;
  const auto shown = audit(site, {"show", "--limit", "1000000"});
  for (const auto& decision : shown["decisions"])
    for (const auto& output : decision["outputs"]) {
      const auto [low, high] = kTried.at(output["tag"].get<std::string>());
      const double proposed = output["proposed"].is_number() ? output["proposed"].get<double>() : std::nan("");
      if (!output.contains("explored")) {
        left_alone += decision["mode"] == "automatic" ? 1 : 0;
        continue;
      }
      ++(decision["mode"] == "automatic" ? tried : tried_in_shadow);
      EXPECT_TRUE(proposed >= low && proposed <= high) << output.dump();
    }
  EXPECT_GT(tried, 300);
  EXPECT_GT(left_alone, 0) << "the policy also wants what lies outside a range";
  EXPECT_LE(tried_in_shadow, 3) << "of the one decision under way when the mode changed";
  const auto replayed = audit(site, {"replay", "--policy", site.path("site/policy"), "--all"});
  EXPECT_EQ(replayed["different"], 0) << replayed.dump(2);
  EXPECT_GE(replayed["same"].get<int>(), 300) << replayed.dump(2);
}

// ---- what learning knows after a loss -----------------------------------------------------------------

constexpr int kShort =
    16;  // days: 768 decisions, so few that no candidate is offered yet and the season stays the same

std::unique_ptr<PilotSite> short_season(const std::string& checkpoint_minutes = "0.01") {
  return std::make_unique<PilotSite>(
      testing::PilotOptions{.days = kShort,
                            .learning = true,
                            .twin_arguments = {"--start", "2014-02-09", "--weather-seed", "1", "--days",
                                               std::to_string(kShort), "--forecast-leads", "0"},
                            .edits = {{{"checkpoint_minutes: 0.05", "checkpoint_minutes: " + checkpoint_minutes}}}});
}

// A season of a second passes before a learner has started: the plant stands still most of the time.
bool slowly(PilotSite& site, const std::function<bool()>& condition) {
  for (int turn = 0; turn < 500 && !condition(); ++turn) {
    site.twin().signal(SIGSTOP);
    std::this_thread::sleep_for(100ms);
    site.twin().signal(SIGCONT);
    std::this_thread::sleep_for(10ms);
  }
  return condition();
}

// Of the learner's last line about it.
int transitions_learnt(const PilotSite& site) {
  const std::string log = read_file(site.path("run/logs/learner.climate.log")).value_or("");
  const std::size_t at = log.rfind("checkpoint written");
  const std::string key = "\"transitions\":\"";
  const std::size_t number = at == std::string::npos ? at : log.find(key, at);
  return number == std::string::npos ? 0 : std::atoi(log.c_str() + number + key.size());
}

// The plant does not go on after its season; what there is to learn from ends with it.
void learn_to_the_end(PilotSite& site) {
  ASSERT_TRUE(PilotSite::eventually([&] { return site.value("clock_step") >= 48.0 * kShort; }, 120s))
      << site.everything();
  ASSERT_TRUE(PilotSite::eventually([&] { return transitions_learnt(site) >= 48 * kShort; }, 60s))
      << site.log("learner.climate");
}

// All that learning knows. Two of them differ in when the newest decision was made, and so in the seal at the end.
std::string newest_checkpoint(const PilotSite& site) {
  constexpr std::size_t kSeal = 64, kWallTime = 8;
  std::string bytes = read_file(checkpoints(site).back()).value_or("");
  bytes.resize(std::max(bytes.size(), kSeal + kWallTime) - kSeal - kWallTime);
  return bytes;
}

const std::string& undisturbed() {
  static const std::string checkpoint = [] {
    const auto site = short_season();
    site->start();
    learn_to_the_end(*site);
    return newest_checkpoint(*site);
  }();
  return checkpoint;
}

class LostLearning : public ::testing::TestWithParam<bool> {};

TEST_P(LostLearning, is_rebuilt_from_the_decision_log_to_the_same_bits) {
  const bool every_checkpoint = GetParam();
  ASSERT_FALSE(undisturbed().empty());
  const auto site = short_season();
  ASSERT_NO_FATAL_FAILURE(site->start());
  const std::size_t enough = every_checkpoint ? 1 : 2;
  ASSERT_TRUE(slowly(*site, [&] { return checkpoints(*site).size() >= enough; })) << site->log("learner.climate");
  ASSERT_LT(site->value("clock_step"), 48.0 * kShort - 100.0);
  // Dead while the season goes on, with the newest of its memory, or all of it, torn.
  const pid_t learner = site->role("learner.climate").pid();
  ASSERT_GT(learner, 0);
  ::kill(learner, SIGSTOP);
  std::this_thread::sleep_for(100ms);
  const auto files = checkpoints(*site);
  for (const auto& file : files)
    if (every_checkpoint || file == files.back())
      std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  ::kill(learner, SIGKILL);
  ASSERT_NO_FATAL_FAILURE(learn_to_the_end(*site));
  EXPECT_TRUE(site->log("learner.climate").contains("a checkpoint is skipped")) << site->log("learner.climate");
  EXPECT_EQ(transitions_learnt(*site), 48 * kShort);
  EXPECT_TRUE(newest_checkpoint(*site) == undisturbed()) << site->log("learner.climate");
}

TEST(Learning, an_orderly_stop_leaves_a_checkpoint_that_learning_goes_on_from) {
  ASSERT_FALSE(undisturbed().empty());
  const auto site = short_season("600");  // none but at the stop
  ASSERT_NO_FATAL_FAILURE(site->start());
  ASSERT_TRUE(slowly(*site, [&] { return site->log("learner.climate").contains("learning starts"); }));
  ASSERT_TRUE(slowly(*site, [&] { return site->value("clock_step") >= 200.0; })) << site->everything();
  EXPECT_TRUE(checkpoints(*site).empty());
  site->up().signal(SIGTERM);
  ASSERT_TRUE(site->up().wait(20s)) << site->everything();
  ASSERT_EQ(checkpoints(*site).size(), 1U) << site->log("learner.climate");
  const int learnt = transitions_learnt(*site);
  EXPECT_GT(learnt, 100) << site->log("learner.climate");
  site->start_up();
  const std::string goes_on = std::format("\"learning goes on from a checkpoint\",\"transitions\":\"{}\"", learnt);
  ASSERT_TRUE(PilotSite::eventually([&] { return site->log("learner.climate").contains(goes_on); }, 30s))
      << site->log("learner.climate");
  ASSERT_TRUE(PilotSite::eventually([&] { return site->value("clock_step") >= 48.0 * kShort; }, 120s))
      << site->everything();
  site->up().signal(SIGTERM);
  ASSERT_TRUE(site->up().wait(20s)) << site->everything();
  // What the stop came before is in the log, and learnt from at the next start.
  for (int start = 0; start < 10 && transitions_learnt(*site) < 48 * kShort; ++start) {
    site->start_up();
    std::this_thread::sleep_for((1 + start) * 2s);  // longer each time, for a machine that is busy
    site->up().signal(SIGTERM);
    ASSERT_TRUE(site->up().wait(20s)) << site->everything();
  }
  EXPECT_EQ(transitions_learnt(*site), 48 * kShort) << site->log("learner.climate");
  EXPECT_TRUE(newest_checkpoint(*site) == undisturbed()) << site->log("learner.climate");
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, LostLearning, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "all_torn" : "the_newest_torn"; });

}  // namespace
}  // namespace rltune
