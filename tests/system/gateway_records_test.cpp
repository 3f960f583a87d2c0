// What a site recorded, read through its public port: in pages, while it goes on recording, and never at the loop's
// cost.
#include <gmock/gmock.h>

#include <atomic>

#include "gateway_site.hpp"
#include "rltune/sqlite/sqlite.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::PilotSite;

// Whatever clock the plant's record goes by.
constexpr const char* kAlways = "from=2000-01-01T00:00:00Z&to=2200-01-01T00:00:00Z";

class GatewayRecords : public testing::GatewaySiteTest {
 protected:
  GatewayRecords() : GatewaySiteTest({.gateway = testing::kNoCallLimits}) {}

  json get(const std::string& path, long status = 200) const {
    const auto answer = send("GET", "/api/v1" + path, token_);
    EXPECT_TRUE(answer) << answer.error().message;
    if (!answer) return {};
    EXPECT_EQ(answer->status, status) << path << answer->body;
    return json::parse(answer->body, nullptr, false);
  }
  // What was ordered, when it has ended.
  json ended(const std::string& path) const {
    const auto begun = send("POST", "/api/v1" + path, token_, {{"reason", "before the harvest"}});
    EXPECT_TRUE(begun && begun->status == 202) << (begun ? begun->body : begun.error().message);
    if (!begun) return {};
    json job = json::parse(begun->body, nullptr, false);
    EXPECT_TRUE(PilotSite::eventually(
        [&] {
          job = get("/backups/jobs/" + job.value("id", ""));
          return job.value("state", "") != "running";
        },
        120s))
        << job << site_->everything();
    return job;
  }
  static json named(const json& tags, const std::string& name) {
    for (const json& tag : tags)
      if (tag["name"] == name) return tag;
    return json::object();
  }
  std::size_t recorded(const std::string& tag) const {
    return get(std::format("/tags/{}/samples?{}&limit=10000", tag, kAlways))["samples"].size();
  }

  std::string token_;
};

TEST_F(GatewayRecords, what_was_measured_is_read_in_pages_while_more_comes) {
  token_ = sign_in("bob");
  const json tags = get("/tags")["tags"];
  json air = named(tags, "air_temperature");
  EXPECT_EQ(air.value("role", ""), "measurement") << tags;
  ASSERT_EQ(air["latest"].size(), 1U);
  EXPECT_EQ(air["latest"][0]["quality"], "good");
  for (const config::OutputRule& rule : site_->rules()) {
    const json tag = named(tags, rule.tag);
    EXPECT_EQ(tag.value("writable", false), true) << rule.tag;
    EXPECT_EQ(tag.value("high", 0.0), rule.limits.high);
  }

  ASSERT_TRUE(PilotSite::eventually([&] { return recorded("air_temperature") >= 10; }, 30s));
  std::vector<std::string> times;
  std::string path = std::format("/tags/air_temperature/samples?{}&limit=4", kAlways);
  for (int pages = 0; pages < 3; ++pages) {
    const json page = get(path);
    ASSERT_LE(page["samples"].size(), 4U);
    for (const json& sample : page["samples"]) times.push_back(sample["time"]);
    if (!page.contains("next")) break;
    path = "/tags/air_temperature/samples?limit=4&cursor=" + page["next"].get<std::string>();
  }
  const json whole = get(std::format("/tags/air_temperature/samples?{}&limit=10000", kAlways))["samples"];
  ASSERT_GE(times.size(), 10U);
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(whole[i]["time"], times[i]) << i;

  EXPECT_EQ(get("/tags/air_temperature/samples?limit=0", 422)["errors"][0]["parameter"], "limit");
  EXPECT_EQ(get("/tags/nothing/samples", 404)["status"], 404);
  EXPECT_TRUE(get(std::format("/tags/air_temperature/rollups?resolution=hour&{}", kAlways))["rollups"].is_array());
}

TEST_F(GatewayRecords, a_decision_is_computed_again_to_the_same_bits_and_who_read_it_stands_in_the_audit) {
  token_ = sign_in("bob");
  const json listed = get(std::format("/decisions?{}&agent=climate&limit=50", kAlways))["decisions"];
  std::string id;
  for (const json& decision : listed)
    if (decision["origin"] == "policy") id = decision["id"];
  ASSERT_FALSE(id.empty()) << listed;
  const json whole = get("/decisions/" + id);
  EXPECT_FALSE(whole["observation"].empty());
  EXPECT_EQ(whole["decision"]["id"], id);
  const auto replayed = send("POST", std::format("/api/v1/decisions/{}/replay", id), token_);
  ASSERT_TRUE(replayed && replayed->status == 200) << (replayed ? replayed->body : replayed.error().message);
  EXPECT_EQ(json::parse(replayed->body)["outcome"], "same") << replayed->body;
  EXPECT_EQ(get("/decisions/0190a5e2-1c7c-7cc0-8000-6d1d2f0a1b2c", 404)["status"], 404);
  get("/audit", 403);

  token_ = sign_in("eve");
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const json lines = get("/audit?actor=bob&action=decisions")["lines"];
        return lines.size() >= 4 && lines[2]["action"] == "decisions.replay" && lines[2]["target"] == id;
      },
      20s))
      << get("/audit?limit=10000");
  const json verified = get("/audit/verification");
  EXPECT_EQ(verified["good"], true) << verified;
  EXPECT_GE(verified["roles"].size(), 3U);
}

// The policy by which the site acts is one that it has, and a run lies beside site.yaml while nobody trains in it.
TEST_F(GatewayRecords, policies_and_training_runs_are_told) {
  const std::string run = site_->path("site/runs/spring/");
  ASSERT_TRUE(write_file(run + "run.json", R"({"format": "rltune/run/v1", "plant": "lettuce", "algorithm": "sac",
    "seed": 1, "hyperparameters": {}, "provenance": {}})"));
  ASSERT_TRUE(write_file(run + "state.json", R"({"status": "running", "reason": "", "step": 20, "steps_planned": 100,
    "updates": 3, "seconds": 1.5, "best_return": null, "best_step": 0, "setbacks": [],
    "started": "2026-01-02T03:04:05Z", "updated": "2026-01-02T03:04:06Z"})"));
  ASSERT_TRUE(write_file(run + "metrics.jsonl", "{\"time/total_timesteps\":10,\"eval/mean_reward\":-5.5}\n"));
  token_ = sign_in("bob");
  std::string sha256;
  const json policies = get("/policies");
  for (const json& policy : policies["policies"])
    if (policy["agents"] == json({"climate"})) sha256 = policy.value("sha256", "");
  ASSERT_EQ(sha256.size(), 64U) << policies;
  const json policy = get("/policies/" + sha256);
  EXPECT_FALSE(policy["observation"].empty() || policy["action"].empty()) << policy;
  EXPECT_EQ(policy["files"]["policy.onnx"], sha256);
  get("/policies/" + std::string(64, '0'), 404);

  const json runs = get("/runs?limit=10")["runs"];
  ASSERT_EQ(runs.size(), 1U) << runs;
  EXPECT_EQ(runs[0]["run"], "runs~spring");
  EXPECT_EQ(runs[0]["status"], "interrupted");
  EXPECT_EQ(get("/runs/runs~spring")["figures"][0]["last"], -5.5);
  EXPECT_EQ(get("/runs/runs~spring/figures")["curves"][0]["values"], json({-5.5}));
  get("/runs/runs~summer", 404);
}

TEST_F(GatewayRecords, a_backup_is_made_and_verified_while_the_plant_is_controlled) {
  token_ = sign_in("eve");
  EXPECT_EQ(ended("/backups")["state"], "failed") << "there is no key";
  EXPECT_EQ(get("/backups")["backups"], json::array());
  const auto key = run_command(
      std::format("{}/rltune backup key {}", RLTUNE_BIN_DIR, site_->path("site/secrets/backup.key")), site_->path(""));
  ASSERT_EQ(key.status, 0) << key.err;
  const std::uint64_t before = site_->decisions();
  const json made = ended("/backups");
  ASSERT_EQ(made["state"], "done") << made << site_->everything();
  EXPECT_EQ(made["user"], "eve");
  const json list = get("/backups");
  ASSERT_EQ(list["backups"].size(), 1U) << list;
  EXPECT_EQ(list["backups"][0]["name"], made["backup"]);
  EXPECT_GT(list["backups"][0]["parts"], 5);
  EXPECT_LT(list["newest_age_s"], 600.0);
  const json verified = ended("/backups/" + made["backup"].get<std::string>() + "/verifications");
  EXPECT_EQ(verified["state"], "done") << verified;
  EXPECT_EQ(verified["faults"], json::array());
  EXPECT_EQ(ended("/backups/pilot-20200101T000000Z.rltune-backup/verifications")["trouble"], "there is no such backup");
  EXPECT_GT(site_->decisions(), before) << "nobody waited for it";
  EXPECT_FALSE(std::filesystem::exists(site_->path("site/data/backup-staging")));
}

// Asked of the telemetry role that runs with the site: what this call itself logs is found by its correlation id.
TEST_F(GatewayRecords, the_site_tells_its_logs_alerts_and_what_it_keeps) {
  token_ = sign_in("oscar");
  const auto asked = send("GET", "/api/v1/site", token_);
  ASSERT_TRUE(asked && asked->status == 200);
  const std::string id = asked->headers.at("x-correlation-id");
  json page;
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        page = get("/logs?order=oldest&correlation_id=" + id);
        return !page["entries"].empty();
      },
      20s))
      << page << site_->everything();
  EXPECT_EQ(page["entries"][0]["service"], "gateway") << page;
  EXPECT_EQ(page["entries"][0]["attributes"].value("status", ""), "200") << page;
  EXPECT_TRUE(get("/alerts")["alerts"].is_array());
  const json status = get("/telemetry");
  ASSERT_EQ(status["streams"].size(), 2U) << status;
  EXPECT_GT(status["streams"][0]["acknowledged"], 0);
  const auto acknowledged =
      send("POST", "/api/v1/alerts/nothing/acknowledgements", token_, {{"reason", "nobody knows it"}});
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->status, 404) << acknowledged->body;
}

// A file of the historian's that somebody else has locked: a reader of it waits for seconds.
TEST_F(GatewayRecords, a_question_that_takes_seconds_holds_no_decision_back) {
  token_ = sign_in("bob");
  ASSERT_TRUE(PilotSite::eventually([&] { return recorded("air_temperature") > 0; }, 30s));
  const auto held = sqlite::open_writer(site_->path("site/data/raw-00009999.db"), 1U << 20U);
  held->exec("PRAGMA journal_mode = DELETE; CREATE TABLE locked(it INTEGER); BEGIN EXCLUSIVE");
  const std::uint64_t before = site_->decisions();
  const auto begun = std::chrono::steady_clock::now();
  std::atomic<bool> answered = false;
  std::jthread asks([&] {
    EXPECT_GT(recorded("air_temperature"), 0U) << "what can be read is";
    answered = true;
  });
  Duration longest{};  // a call to the loop itself
  while (!answered) {
    const auto asked = std::chrono::steady_clock::now();
    EXPECT_TRUE(site_->io_status());
    longest = std::max<Duration>(longest, std::chrono::steady_clock::now() - asked);
    std::this_thread::sleep_for(20ms);
  }
  const double took_s = to_seconds(std::chrono::steady_clock::now() - begun);
  EXPECT_GE(took_s, 1.5) << "the question was long";
  EXPECT_LT(to_seconds(longest), 1.0) << "and the loop answered meanwhile";
  EXPECT_GE(static_cast<double>(site_->decisions() - before), 0.5 * took_s / 0.2);
}

}  // namespace
}  // namespace rltune
