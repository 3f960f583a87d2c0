// A backup of a site that learns, taken while it runs, restored and started again: what stands on record there is what
// the first site knew, and both go on.
#include <set>

#include "pilot_site.hpp"
#include "rltune/configstore/store.hpp"

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

}  // namespace
}  // namespace rltune
