// A backup of a site that learns, taken while it runs, restored and started again: what stands on record there is what
// the first site knew, and both go on.
#include <set>

#include "rltune/configstore/store.hpp"
#include "site_versions.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;
using testing::PilotSite;

constexpr int kDays = 360;  // longer than the test takes

struct Ran {
  nlohmann::json json;
  int status = -1;
};

Ran command(const PilotSite& site, const std::vector<std::string>& arguments) {
  std::vector<std::string> all{std::string(RLTUNE_BIN_DIR) + "/rltune"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  ChildProcess process(all, site.path("command.log"));
  std::string text;
  while (const auto line = process.read_line(300s)) text += *line;
  return {nlohmann::json::parse(text, nullptr, false), process.wait(10s).value_or(-1)};
}

std::string said(const PilotSite& site) { return read_file(site.path("command.log")).value_or(""); }

std::vector<historian::Decision> decisions_in(const std::string& folder) {
  auto read = historian::read_decisions(folder, TimePoint{}, WallClock().now() + std::chrono::years(1), 1'000'000);
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read ? *std::move(read) : std::vector<historian::Decision>{};
}

TEST(Backup, of_a_learning_site_under_load_restores_to_one_that_goes_on) {
  PilotSite site({.lockstep = false,
                  .period_s = 0.03,
                  .days = kDays,
                  .speed = 60'000.0,
                  .learning = true,
                  .twin_arguments = {"--start", "2014-02-09", "--weather-seed", "1", "--days", std::to_string(kDays),
                                     "--forecast-leads", "0"},
                  .edits = {{{"checkpoint_minutes: 0.05", "checkpoint_minutes: 0.002"}}}});
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.log("agent.climate").contains("new weights act"); }, 120s))
      << site.log("learner.climate") << site.log("agent.climate");
  const std::string key = site.path("backup.key");
  ASSERT_EQ(command(site, {"backup", "key", key}).status, 0) << said(site);
  ASSERT_EQ(command(site, {"config", "apply", site.site_file(), "--reason", "commissioned"}).status, 0) << said(site);

  // Its learner replaces checkpoints several times a second.
  std::vector<std::string> files;
  for (int round = 0; round < 2; ++round) {
    const auto made =
        command(site, {"backup", "create", site.site_file(), "--to", site.path("safe"), "--key", key, "--json"});
    ASSERT_EQ(made.status, 0) << said(site);
    files.push_back(made.json["file"]);
    const auto good = command(site, {"backup", "verify", files.back(), "--key", key, "--json"});
    EXPECT_EQ(good.status, 0) << good.json.dump(2) << said(site);
    EXPECT_GE(good.json["checkpoints"], 3) << good.json.dump(2);
    EXPECT_TRUE(good.json["notes"].empty()) << good.json.dump(2);
    EXPECT_TRUE(good.json["configuration"].is_string()) << good.json.dump(2);
  }
  const std::uint64_t decisions_then = site.decisions();
  ASSERT_TRUE(PilotSite::eventually([&] { return site.decisions() > decisions_then + 20; }, 30s)) << site.everything();
  site.up().signal(SIGTERM);
  ASSERT_TRUE(site.up().wait(20s)) << site.everything();

  const auto restored =
      command(site, {"backup", "restore", files.back(), "--key", key, "--to", site.path("again"), "--json"});
  ASSERT_EQ(restored.status, 0) << restored.json.dump(2) << said(site);
  // The twin's password, which the site names, lies beside the site's folder; so the copy of that is one further down.
  const std::string again = std::filesystem::path(restored.json["site"].get<std::string>()).parent_path();
  EXPECT_EQ(read_file(again + "/site.yaml").value_or("none"), read_file(site.site_file()).value_or(""));
  EXPECT_EQ(restored.json["configuration"], configstore::Store::open(site.path("site"))->head().value());
  // What is on record is the beginning of what the site has on record, none left out, up to the newest then.
  const auto all = decisions_in(site.path("site/data/decisions")), some = decisions_in(again + "/data/decisions");
  ASSERT_GT(some.size(), 0U);
  ASSERT_LT(some.size(), all.size());
  EXPECT_EQ(restored.json["decisions"], some.size());
  for (std::size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i].id, all[i].id);
  for (const historian::Decision& decision : some)
    if (!decision.policy_sha256.empty()) {
      ASSERT_TRUE(std::filesystem::exists(again + "/data/policies/" + decision.policy_sha256 + ".onnx"));
    }
  const auto replayed =
      command(site, {"audit", "replay", "--policy", again + "/policy", "--all", "--data", again + "/data", "--json"});
  EXPECT_EQ(replayed.json["different"], 0) << replayed.json.dump(2);
  EXPECT_EQ(replayed.json["unknown_policy"], 0) << replayed.json.dump(2);

  // The disk of the first one is gone; the second takes its place, at the same plant.
  std::filesystem::rename(site.path("site"), site.path("lost"));
  std::filesystem::rename(again, site.path("site"));
  std::filesystem::remove_all(site.run_folder());
  site.start_up();
  ASSERT_TRUE(site.decides(20)) << site.everything();
  EXPECT_TRUE(site.log("agent.climate").contains("acting by weights learnt on site")) << site.log("agent.climate");
  ASSERT_TRUE(PilotSite::eventually(
      [&] { return site.log("learner.climate").contains("learning goes on from a checkpoint"); }, 30s))
      << site.log("learner.climate");
  EXPECT_FALSE(site.log("learner.climate").contains("a checkpoint is skipped")) << site.log("learner.climate");
  EXPECT_GT(decisions_in(site.path("site/data/decisions")).size(), some.size());
}

// What the registry says of the agent, as text: versions with their states and artifacts, and who did what.
std::string registry_of(PilotSite& site, int history_max) {
  v1::AgentsRequest request;
  request.set_agent("climate");
  request.set_history(1000);
  const auto answer = site.ask<v1::AgentsAnswer>("coredinator", "coredinator.Agents", request);
  if (!answer || answer->agents_size() != 1) return answer ? "no agent" : answer.error().message;
  const v1::AgentInfo& agent = answer->agents(0);
  std::string text = std::format("active {}, epoch {}\n", agent.active(), agent.epoch());
  for (const v1::VersionInfo& version : agent.versions())
    text += std::format("{} {} {} {}\n", version.version(), version.state(), version.artifact_sha256(),
                        version.paused() ? "paused" : "");
  const int count = answer->history_size(), first = std::max(0, count - history_max);
  for (int i = first; i < count; ++i) {  // the oldest
    const v1::HistoryInfo& entry = answer->history(i);
    text += std::format("{} {} {} -> {} {} by '{}': {}\n", entry.unix_ns(), entry.version(), entry.from(), entry.to(),
                        entry.epoch(), entry.user(), entry.reason());
  }
  return text;
}

// Beside an active version one stands by and one is in test, the active one learns, and callers ask the agent all the
// time: what comes back is the registry that was, with the artifacts, weights, decisions and checkpoints it speaks of.
TEST(Backup, of_deployed_versions_under_load_comes_back_as_they_were) {
  testing::PilotOptions options = testing::versions_options();
  options.learning = true;
  options.edits = {{"checkpoint_minutes: 0.05", "checkpoint_minutes: 0.002"}};
  PilotSite site(options);
  testing::SiteVersions versions(site);
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(5)) << site.everything();
  const std::string key = site.path("backup.key"), second = versions.artifact("second", 2);
  ASSERT_EQ(command(site, {"backup", "key", key}).status, 0) << said(site);
  ASSERT_EQ(command(site, {"config", "apply", site.site_file(), "--reason", "commissioned"}).status, 0) << said(site);
  const TimePoint switching = WallClock().now();
  ASSERT_TRUE(versions.deploy(second, "2.0.0", testing::SiteVersions::quick_traffic()));
  ASSERT_TRUE(versions.acts("2.0.0")) << site.everything();
  v1::Traffic long_shadow = testing::SiteVersions::quick_traffic();
  long_shadow.set_shadow_s(600.0);
  ASSERT_TRUE(versions.deploy(versions.artifact("third", 3), "3.0.0", long_shadow));
  ASSERT_TRUE(versions.reaches("3.0.0", "shadow")) << site.everything();
  ASSERT_TRUE(versions.reaches("0.0.0", "standby")) << site.everything();
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(site.path("site/data/learner")))
          if (entry.path().extension() == ".checkpoint") return true;
        return false;
      },
      60s))
      << site.everything();
  const std::string then = registry_of(site, 1000);
  ASSERT_TRUE(then.starts_with("active 2.0.0")) << then;
  const int history = static_cast<int>(std::ranges::count(then, '\n')) - 4;

  testing::CallLoad load(site.run_folder());
  const auto made =
      command(site, {"backup", "create", site.site_file(), "--to", site.path("safe"), "--key", key, "--json"});
  load.stop();
  ASSERT_EQ(made.status, 0) << said(site);
  EXPECT_GT(load.answered, 10U);
  EXPECT_EQ(load.failed, 0U) << load.first_error;
  ASSERT_EQ(registry_of(site, 1000), then) << "nothing moved on meanwhile";
  site.up().signal(SIGTERM);
  ASSERT_TRUE(site.up().wait(20s)) << site.everything();

  const auto restored =
      command(site, {"backup", "restore", made.json["file"], "--key", key, "--to", site.path("again"), "--json"});
  ASSERT_EQ(restored.status, 0) << restored.json.dump(2) << said(site);
  EXPECT_EQ(restored.json["versions"], 3);
  EXPECT_GE(restored.json["checkpoints"], 1) << restored.json.dump(2);
  EXPECT_EQ(restored.json["configuration"], configstore::Store::open(site.path("site"))->head().value());
  const std::string again = std::filesystem::path(restored.json["site"].get<std::string>()).parent_path();
  // Decisions are the beginning of what the site has on record; after the switch the first is the new version's.
  const auto all = decisions_in(site.path("site/data/decisions")), some = decisions_in(again + "/data/decisions");
  ASSERT_GT(some.size(), 0U);
  ASSERT_LE(some.size(), all.size());
  for (std::size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i].id, all[i].id);
  const std::string weights = policy::load_artifact(second)->sha256;
  const auto by_weights = [&](const historian::Decision& decision) {
    return decision.origin == "policy" && decision.policy_sha256 == weights;
  };
  const auto first = std::ranges::find_if(some, by_weights);
  ASSERT_NE(first, some.end()) << "none by the version that acted";
  EXPECT_GT(first->wall_time, switching);
  for (auto later = first; later != some.end(); ++later)
    if (later->origin == "policy") {
      EXPECT_NE(later->policy_sha256, site.policy_sha256()) << later->id;
    }

  std::filesystem::rename(site.path("site"), site.path("lost"));
  std::filesystem::rename(again, site.path("site"));
  std::filesystem::remove_all(site.run_folder());
  site.start_up();
  ASSERT_TRUE(site.decides(10)) << site.everything();
  ASSERT_TRUE(versions.acts("2.0.0")) << site.everything();
  EXPECT_EQ(registry_of(site, history), then);
  EXPECT_EQ(versions.version("0.0.0").state(), "standby");
}

}  // namespace
}  // namespace rltune
