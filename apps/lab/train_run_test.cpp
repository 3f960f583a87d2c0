// rltune policy train on environments, by its executable: killed, diverged, stopped early.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <sstream>
#include <thread>

#include "command_line.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/policy/artifact.hpp"
#include "rltune/runs/run.hpp"

namespace rltune::lab {
namespace {

constexpr const char* kSac =
    "policy train --environment pendulum --algorithm sac --threads 1 --hyper n_envs=1 --hyper hidden=32x32 "
    "--hyper batch_size=32 --hyper learning_starts=100 --json";

std::string folder_of(const std::filesystem::path& path) { return " --out " + path.string(); }

pid_t start(const std::string& arguments) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const std::string command = "exec " RLTUNE_BIN_DIR "/rltune-lab " + arguments + " >/dev/null 2>&1";
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

// The step that the run in `folder` has a checkpoint of; 0: none. State is written after its checkpoint.
std::uint64_t checkpointed(const std::filesystem::path& folder) {
  const auto state = runs::read_state(folder);
  return std::filesystem::exists(folder / "checkpoint") && state ? state->step : 0;
}

// Waits until the child has gone further by a checkpoint than `step`, or has ended.
bool goes_on_from(std::uint64_t step, const std::filesystem::path& folder, pid_t child) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  siginfo_t ended{};
  while (std::chrono::steady_clock::now() < end) {
    if (checkpointed(folder) > step) return true;
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child)
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(TrainRun, killed_and_continued_it_ends_with_the_same_bits) {
  const Scratch scratch;
  const std::string what = std::string(kSac) + " --steps 6000 --checkpoint-seconds 0.02";
  ASSERT_EQ(lab(std::string(kSac) + " --steps 6000" + folder_of(scratch / "1" / "policy")).status, 0);
  const auto cut = scratch / "2" / "policy";
  int kills = 0;
  for (const std::uint64_t step : {0, 150, 1500, 3000}) {
    const pid_t child = start(what + folder_of(cut));
    EXPECT_TRUE(goes_on_from(step, cut, child)) << "no checkpoint behind step " << step << " within a minute";
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    kills += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GE(kills, 2);
  ASSERT_EQ(lab(what + folder_of(cut)).status, 0);
  const auto ended = runs::read_state(cut);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->status, runs::Status::finished);
  for (const char* file : {"policy.onnx", "best.onnx", "metrics.jsonl"})
    EXPECT_TRUE(*read_file(scratch / "1" / "policy" / file) == *read_file(cut / file)) << file;
}

// The first files that it opens would otherwise be its standard streams.
TEST(TrainRun, started_without_standard_streams_it_prints_into_none_of_its_files) {
  const Scratch scratch;
  const auto out = scratch / "policy";
  const std::string what =
      "policy train --environment pendulum --algorithm sac --threads 1 --steps 200 "
      "--hyper hidden=8x8 --hyper learning_starts=50";
  ASSERT_EQ(std::system((RLTUNE_BIN_DIR "/rltune-lab " + what + folder_of(out) + " 0<&- 1>&- 2>&-").c_str()), 0);
  std::istringstream lines(*read_file(out / "metrics.jsonl"));
  int read = 0;
  for (std::string line; std::getline(lines, line); ++read)
    EXPECT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded()) << line;
  EXPECT_GT(read, 10);
  EXPECT_TRUE(policy::load_artifact(out));
}

TEST(TrainRun, a_learning_rate_that_explodes_is_lowered_until_training_stands) {
  const Scratch scratch;
  const auto out = scratch / "run";
  const std::string what =
      "policy train --environment pendulum --algorithm ppo --threads 1 --steps 8000 --hyper n_envs=4 "
      "--hyper n_steps=64 --hyper batch_size=64 --hyper hidden=16x16 --hyper learning_rate=1e8 "
      "--hyper learning_rate_critic=1e8 --json";
  const Answer answer = lab(what + " --setbacks 40" + folder_of(out));
  ASSERT_EQ(answer.status, 0);
  EXPECT_GE(answer.json()["setbacks"], 1);
  const auto run = runs::read_run(out);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->state.status, runs::Status::finished);
  ASSERT_EQ(run->state.setbacks.size(), answer.json()["setbacks"]);
  const runs::Setback& first = run->state.setbacks.front();
  EXPECT_NE(first.what.find(" is "), std::string::npos) << first.what;
  EXPECT_LT(first.back_to, first.step);
  EXPECT_EQ(first.learning_rate_factor, 0.25);
  const auto artifact = policy::load_artifact(out);
  ASSERT_TRUE(artifact) << artifact.error().message;
  for (const nn::DenseLayer& layer : artifact->network.layers)
    for (const float weight : layer.weight) ASSERT_TRUE(std::isfinite(weight));

  const Answer refused = lab(what + " --setbacks 0" + folder_of(scratch / "run2"), true);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("training diverged: "), std::string::npos) << refused.output;
  EXPECT_EQ(runs::read_state(scratch / "run2")->status, runs::Status::diverged);
}

TEST(TrainRun, it_stops_early_when_it_is_good_enough_or_no_longer_improves) {
  const Scratch scratch;
  const auto good = scratch / "good", stale = scratch / "stale";
  ASSERT_EQ(lab(std::string(kSac) + " --steps 4000 --stop-at-return -1000" + folder_of(good)).status, 0);
  const auto state = runs::read_state(good);
  EXPECT_EQ(state->status, runs::Status::stopped);
  EXPECT_LT(state->step, 4000U);
  EXPECT_GE(state->best_return, -1000.0);
  EXPECT_NE(state->reason.find("-1000 was asked for"), std::string::npos) << state->reason;

  // A policy that hardly learns: the first examination stays the best one for a while.
  const std::string slow = std::string(kSac) +
                           " --steps 4000 --patience 2 --hyper learning_rate_actor=0 --hyper learning_rate_critic=0"
                           " --hyper learning_rate_temperature=0 --hyper learning_starts=1";
  const Answer answer = lab(slow + folder_of(stale));
  ASSERT_EQ(answer.status, 0);
  EXPECT_EQ(runs::read_state(stale)->status, runs::Status::stopped);
  EXPECT_EQ(answer.json()["stopped"], "no better policy in 2 examinations");
  // What ended stays ended.
  EXPECT_EQ(lab(slow + folder_of(stale)).json()["steps"], answer.json()["steps"]);
}

TEST(PolicyEvaluate, an_environment_s_policies_are_evaluated_on_the_same_episodes_and_over_their_seeds) {
  const Scratch scratch;
  std::string folders;
  for (const char* seed : {"1", "2", "3"}) {
    const auto out = scratch / seed;
    ASSERT_EQ(lab(std::string(kSac) + " --steps 400 --seed " + seed + folder_of(out)).status, 0);
    folders += " " + out.string();
  }
  const auto object = lab("policy evaluate --episodes 20 --seed 7 --json" + folders).json();
  ASSERT_EQ(object["policies"].size(), 3U);
  std::vector<double> means;
  for (const auto& one : object["policies"]) {
    const auto returns = one["returns"].get<std::vector<double>>();
    ASSERT_EQ(returns.size(), 20U);
    EXPECT_NEAR(one["return_mean"], mean(returns), 1e-9);
    EXPECT_EQ(one["return"], interquartile_mean(returns));
    EXPECT_LE(one["return_interval"][0], one["return"]);
    EXPECT_GE(one["return_interval"][1], one["return"]);
    means.push_back(one["return_mean"]);
  }
  EXPECT_EQ(object["over_policies"]["return"], interquartile_mean(means));
  const auto alone = lab("policy evaluate --episodes 20 --seed 7 --json " + (scratch / "2").string()).json();
  EXPECT_EQ(alone["policies"][0]["returns"], object["policies"][1]["returns"]);
  EXPECT_EQ(lab("policy evaluate --plant cstr --controller " + (scratch / "1").string()).status, 1);
}

TEST(PolicyHyperparameters, say_where_each_value_came_from) {
  const auto object = lab("policy hyperparameters --algorithm ppo --plant lettuce --hyper n_steps=7 --json").json();
  std::map<std::string, std::string> origins;
  for (const auto& one : object["hyperparameters"]) {
    origins[one["name"]] = one["origin"];
    EXPECT_FALSE(one["description"].get<std::string>().empty());
  }
  EXPECT_EQ(origins["n_steps"], "command line");
  EXPECT_EQ(origins["gamma"], "plant lettuce");
  EXPECT_EQ(origins["gae_lambda"], "default");
  EXPECT_EQ(lab("policy hyperparameters --algorithm ppo --hyper nothing=1").status, 2);
  const Answer pendulum = lab("policy hyperparameters --algorithm sac --environment pendulum");
  EXPECT_NE(pendulum.output.find("environment pendulum"), std::string::npos) << pendulum.output;
}

TEST(TrainRun, two_processes_cannot_train_in_one_folder) {
  const Scratch scratch;
  const auto out = scratch / "run";
  const auto lock = runs::RunLock::take(out);
  ASSERT_TRUE(lock);
  const Answer refused = lab(std::string(kSac) + " --steps 100" + folder_of(out), true);
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("another process trains"), std::string::npos) << refused.output;
}

}  // namespace
}  // namespace rltune::lab
