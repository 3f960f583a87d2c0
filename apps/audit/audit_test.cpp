// The real executable on records that the real modules wrote.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/policy/policy_controller.hpp"
#include "sample_artifact.hpp"
#include "scratch_folder.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct Answer {
  int status = -1;
  std::string output;
};

Answer run(const std::string& arguments, const std::string& environment = "") {
  std::FILE* pipe = ::popen((environment + " " RLTUNE_BIN_DIR "/rltune-audit " + arguments + " 2>&1").c_str(), "r");
  Answer result;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) result.output.append(buffer, count);
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

class AuditTest : public testing::Test {
 protected:
  static constexpr int kCount = 40;

  void SetUp() override {
    ASSERT_TRUE(policy::save_artifact(scratch_.path() / "policy", artifact_));
    controller_ = policy::PolicyController::create(artifact_).value();
  }

  // Acts on random plants, as an agent would, and returns what io would record.
  historian::Decision decide(int number, const std::string& sha256) {
    std::vector<double> measurements{random_.uniform(10, 30), random_.uniform(400, 1000)},
        previous{random_.uniform(0, 150), random_.uniform()}, exogenous{random_.uniform(0, 900)},
        forecast{1.0, random_.uniform(0, 900)}, inputs(2);
    EXPECT_EQ(controller_->act({measurements, previous, exogenous, forecast, 0.5}, inputs), controllers::Outcome::ok);
    historian::Decision decision;
    decision.time = parse_rfc3339("2026-01-02T23:50:00Z").value() + 1min * number;
    decision.wall_time = decision.time;
    decision.id = make_id(decision.time);
    decision.agent = number % 4 == 3 ? "water" : "climate";
    decision.origin = "policy";
    decision.mode = 3;
    decision.policy_sha256 = sha256;
    decision.observation.assign(controller_->observation().begin(), controller_->observation().end());
    decision.recurrent_state.assign(controller_->recurrent_state().begin(), controller_->recurrent_state().end());
    decision.previous_inputs = previous;
    decision.network_output.assign(controller_->network_output().begin(), controller_->network_output().end());
    decision.outputs = {{"heating", inputs[0], true, inputs[0], 0, 0, true, true},
                        {"roof_vents", inputs[1], true, 0.5, 1, 6, true, true}};
    if (number % 5 == 0) {
      decision.outputs[0].explored = 0.1 * (number + 1);
      decision.outputs[0].proposed += decision.outputs[0].explored;
    }
    return decision;
  }

  void record(const std::vector<historian::Decision>& decisions) {
    auto log = historian::DecisionLog::open(data() / "decisions");
    ASSERT_TRUE(log);
    for (const historian::Decision& decision : decisions) ASSERT_TRUE(log->append(decision));
    ASSERT_TRUE(log->flush());
  }
  std::vector<historian::Decision> some() {
    std::vector<historian::Decision> decisions;
    for (int i = 0; i < kCount; ++i) decisions.push_back(decide(i, artifact_.sha256));
    return decisions;
  }

  std::filesystem::path data() const { return scratch_.path() / "data"; }
  std::string replay_all() const {
    return std::format("replay --data {} --policy {}/policy --all --json", data().string(), scratch_.path().string());
  }
  std::string show() const { return "show --json --data " + data().string(); }

  historian::ScratchFolder scratch_;
  policy::Artifact artifact_ = policy::sample_artifact();
  std::unique_ptr<policy::PolicyController> controller_;
  Random random_{6};
};

TEST_F(AuditTest, show_lists_filters_and_pages) {
  const auto decisions = some();
  record(decisions);
  const auto all = json::parse(run(show()).output);
  ASSERT_EQ(all["count"], kCount);
  EXPECT_EQ(all["decisions"][0]["id"], decisions[0].id);
  EXPECT_EQ(all["decisions"][0]["mode"], "automatic");
  EXPECT_EQ(all["decisions"][0]["outputs"][1]["action"], "clamped");
  EXPECT_EQ(all["decisions"][0]["outputs"][1]["reasons"], json({"limit_high", "rate"}));
  EXPECT_EQ(json::parse(run(show() + " --agent water").output)["count"], kCount / 4);
  EXPECT_EQ(json::parse(run(show() + " --from 2026-01-03 --to 2026-01-03T00:05:00Z").output)["count"], 5);
  const auto page = json::parse(run(show() + " --limit 15").output);
  EXPECT_TRUE(page["more"].get<bool>());
  const auto rest = json::parse(run(show() + " --after " + page["next_after"].get<std::string>()).output);
  EXPECT_EQ(rest["count"], kCount - 15);
  EXPECT_EQ(rest["decisions"][0]["id"], decisions[15].id);
  const auto one = json::parse(run(show() + " " + decisions[7].id).output);
  EXPECT_EQ(one["observation"].size(), 5U);
}

TEST_F(AuditTest, replay_computes_the_same_bits_on_every_instruction_set) {
  record(some());
  for (const char* environment : {"", "RLTUNE_ISA=baseline", "RLTUNE_ISA=v3", "RLTUNE_ISA=avx512"}) {
    const Answer result = run(replay_all(), environment);
    if (result.output.find("this machine does not have it") != std::string::npos) continue;
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(json::parse(result.output)["same"], kCount);
  }
}

class RecurrentAuditTest : public AuditTest {
 protected:
  RecurrentAuditTest() { artifact_ = policy::recurrent_sample_artifact(); }
};

TEST_F(RecurrentAuditTest, replay_computes_the_same_bits_on_every_instruction_set) {
  auto decisions = some();
  record(decisions);
  for (const char* environment : {"", "RLTUNE_ISA=baseline", "RLTUNE_ISA=v3", "RLTUNE_ISA=avx512"}) {
    const Answer result = run(replay_all(), environment);
    if (result.output.find("this machine does not have it") != std::string::npos) continue;
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(json::parse(result.output)["same"], kCount);
  }
}

TEST_F(RecurrentAuditTest, a_changed_or_missing_state_is_found) {
  auto decisions = some();
  decisions[3].recurrent_state[2] += 0.25F;
  decisions[8].recurrent_state.clear();
  record(decisions);
  const Answer result = run(replay_all());
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(json::parse(result.output)["same"], kCount - 2);
}

TEST_F(AuditTest, one_changed_bit_is_found_and_named) {
  auto decisions = some();
  decisions[3].network_output[1] = std::nextafter(decisions[3].network_output[1], 2.0F);
  decisions[8].outputs[0].proposed = std::nextafter(decisions[8].outputs[0].proposed, 1e9);
  decisions[9].outputs[1].proposed = std::nextafter(decisions[9].outputs[1].proposed, 1e9);
  decisions[10].outputs[0].explored += 1e-6;
  decisions[20].observation[4] += 1.0F;
  record(decisions);
  const Answer result = run(replay_all());
  EXPECT_EQ(result.status, 1);
  const auto object = json::parse(result.output);
  EXPECT_EQ(object["different"], 5);
  EXPECT_EQ(object["same"], kCount - 5);
  EXPECT_EQ(object["differences"][0]["id"], decisions[3].id);
  EXPECT_EQ(object["differences"][0]["values"][0]["what"], "network_output[1]");
  EXPECT_EQ(object["differences"][1]["values"][0]["what"], "proposed heating");
  EXPECT_EQ(object["differences"][2]["values"][0]["what"], "proposed roof_vents");
  EXPECT_EQ(object["differences"][3]["values"][0]["what"], "proposed heating");
  EXPECT_NE(object["differences"][1]["values"][0]["recorded"], object["differences"][1]["values"][0]["computed"]);
}

TEST_F(AuditTest, weights_learned_on_the_site_are_found_by_their_hash) {
  const auto before = some();
  policy::Artifact learned = artifact_;
  learned.network = policy::sample_network(5, 2, 77);
  const std::string onnx = nn::to_onnx(learned.network, "learned").value(), name = sha256(onnx);
  controller_ = policy::PolicyController::create(learned).value();
  auto decisions = before;
  decisions.push_back(decide(kCount, name));
  record(decisions);
  Answer result = run(replay_all());
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(json::parse(result.output)["unknown_policy"], 1);
  ASSERT_TRUE(write_file(data() / "policies" / (name + ".onnx"), onnx));
  result = run(replay_all());
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(json::parse(result.output)["same"], kCount + 1);
  ASSERT_TRUE(write_file(data() / "policies" / (name + ".onnx"), onnx + "x"));
  EXPECT_NE(run(replay_all()).output.find("its SHA-256 is not its name"), std::string::npos);
}

TEST_F(AuditTest, what_no_policy_decided_is_counted_apart) {
  auto decisions = some();
  decisions[0].origin = "fallback";
  decisions[1].origin = "manual";
  decisions[2].observation.clear();
  record(decisions);
  const Answer result = run(replay_all());
  EXPECT_EQ(result.status, 0) << result.output;
  const auto object = json::parse(result.output);
  EXPECT_EQ(object["not_by_a_policy"], 2);
  EXPECT_EQ(object["held"], 1);
  EXPECT_EQ(object["same"], kCount - 3);
}

TEST_F(AuditTest, fault_of_a_policy_replays_as_one) {
  auto decision = decide(0, artifact_.sha256);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  decision.observation[0] = nan;
  decision.network_output = {nan, nan};
  record({decision});
  EXPECT_EQ(run(replay_all()).status, 0);
}

TEST_F(AuditTest, whoever_reads_decisions_stands_in_the_log) {
  record(some());
  ASSERT_EQ(run(show() + " --agent water").status, 0);
  ASSERT_EQ(run(replay_all()).status, 0);
  const std::string folder = data().string();
  const auto all = json::parse(run("log " + folder + " --json").output);
  ASSERT_EQ(all["count"], 2);
  EXPECT_EQ(all["lines"][0]["action"], "decisions.show");
  EXPECT_EQ(all["lines"][0]["details"]["agent"], "water");
  EXPECT_EQ(all["lines"][1]["action"], "decisions.replay");
  EXPECT_FALSE(all["lines"][0]["actor"].get<std::string>().empty());
  const auto count = [&](const std::string& filter) {
    return json::parse(run("log " + folder + " --json " + filter).output)["count"].get<int>();
  };
  EXPECT_EQ(count("--action decisions"), 2);
  EXPECT_EQ(count("--action decisions.show"), 1);
  EXPECT_EQ(count("--actor nobody-at-all"), 0);
  EXPECT_EQ(count("--role cli --limit 1"), 1);
  EXPECT_EQ(count("--to 2020-01-01"), 0);
  EXPECT_EQ(run("log " + folder + " --json --follow").status, 2);
}

TEST_F(AuditTest, verify_finds_what_was_changed_and_says_where) {
  record(some());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(run(show()).status, 0);
  const std::string verify = "verify " + data().string();
  const auto good = json::parse(run(verify + " --json").output);
  EXPECT_EQ(good["good"], true);
  EXPECT_EQ(good["roles"][0]["last_signed"], 3);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(data() / "audit" / "cli"))
    if (entry.path().filename().string().starts_with("audit-")) file = entry.path();
  const std::string bytes = read_file(file).value();
  const std::size_t second = bytes.find('\n') + 1;
  ASSERT_TRUE(write_file(file, bytes.substr(0, second) + bytes.substr(bytes.find('\n', second) + 1)));
  const Answer found = run(verify);
  EXPECT_EQ(found.status, 1);
  EXPECT_NE(found.output.find(file.string() + ":2: missing: line 2 of the log is missing before it"), std::string::npos)
      << found.output;
  ASSERT_TRUE(write_file(file, bytes));
  EXPECT_EQ(run(verify).status, 0);
  EXPECT_EQ(run(verify + " --key " + file.string()).status, 1) << "that is no key";
  const auto other = scratch_.path() / "other.pub";
  ASSERT_TRUE(write_file(other, std::string(64, 'a')));
  EXPECT_EQ(run(verify + " --key " + other.string()).status, 1) << "not the key that signed";
  EXPECT_EQ(run("verify /nowhere/at/all").status, 2);
}

TEST_F(AuditTest, heads_that_left_the_host_remember) {
  record(some());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(run(show()).status, 0);
  const std::string away = (scratch_.path() / "away").string(), folder = data().string();
  ASSERT_EQ(run("heads " + folder + " --to " + away).status, 0);
  EXPECT_EQ(run("verify " + folder + " --heads " + away).status, 0);
  std::filesystem::remove_all(data() / "audit" / "cli");
  EXPECT_EQ(run("verify " + folder).status, 0) << "nothing here tells of it";
  const Answer gone = run("verify " + folder + " --heads " + away);
  EXPECT_EQ(gone.status, 1);
  EXPECT_NE(gone.output.find("the log ends before line 3"), std::string::npos) << gone.output;
  ASSERT_EQ(run(show()).status, 0);
  EXPECT_EQ(run("heads " + folder + " --to " + away).status, 1) << "and are not replaced";
}

TEST_F(AuditTest, wrong_usage_and_failures_have_their_status) {
  record(some());
  EXPECT_EQ(run("show").status, 2);
  EXPECT_EQ(run("show --data " + data().string() + " --from yesterday").status, 2);
  EXPECT_EQ(run("replay --data " + data().string() + " --policy " + (scratch_.path() / "policy").string()).status, 2);
  EXPECT_EQ(run("dream").status, 2);
  EXPECT_EQ(run("show --help").status, 0);
  EXPECT_EQ(run("show --data " + data().string() + " no-such-id").status, 1);
  EXPECT_EQ(run("show --data /nowhere/at/all").status, 1);
  ASSERT_TRUE(write_file(data() / "decisions" / "decisions-2026-01-02.db", "rubbish"));
  const Answer damaged = run("show --data " + data().string());
  EXPECT_EQ(damaged.status, 1);
  EXPECT_NE(damaged.output.find("decisions-2026-01-02.db"), std::string::npos) << damaged.output;
}

}  // namespace
}  // namespace rltune
