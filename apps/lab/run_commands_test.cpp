// rltune run, by its executable: a sweep on one worker, on two, and killed; and what is said of its runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "command_line.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/runs/run.hpp"

namespace rltune::lab {
namespace {

constexpr const char* kVaried = " --seeds 2 --vary gamma=0.9,0.98";
constexpr const char* kTrain =
    " -- --environment pendulum --algorithm sac --steps 2500 --checkpoint-seconds 0.05 --hyper n_envs=1 "
    "--hyper hidden=32x32 --hyper batch_size=32 --hyper learning_starts=100";

std::string sweep(const std::filesystem::path& out, int workers) {
  return "run sweep --json --workers " + std::to_string(workers) + " --out " + out.string() + kVaried + kTrain;
}

class RunCommandsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new Scratch;
    answer_ = lab(sweep(*scratch_ / "one", 1));
  }
  static void TearDownTestSuite() { delete scratch_; }
  static std::string folder() { return (*scratch_ / "one").string(); }

  static void expect_same_bits(const std::filesystem::path& ours, const std::filesystem::path& theirs) {
    int compared = 0;
    for (const char* point : {"gamma=0.9", "gamma=0.98"})
      for (const char* seed : {"seed-1", "seed-2"})
        for (const char* file : {"policy.onnx", "metrics.jsonl"}) {
          const auto one = read_file(ours / point / seed / file), two = read_file(theirs / point / seed / file);
          ASSERT_TRUE(one && two) << point << " " << seed;
          EXPECT_TRUE(*one == *two) << point << " " << seed << " " << file;
          ++compared;
        }
    EXPECT_EQ(compared, 8);
  }

  static Scratch* scratch_;
  static Answer answer_;
};
Scratch* RunCommandsTest::scratch_ = nullptr;
Answer RunCommandsTest::answer_;

TEST_F(RunCommandsTest, a_sweep_has_the_same_bits_on_one_worker_and_on_two) {
  ASSERT_EQ(answer_.status, 0);
  const auto two = *scratch_ / "two";
  ASSERT_EQ(lab(sweep(two, 2)).status, 0);
  expect_same_bits(folder(), two);
}

// Files come and go under the eyes of this.
std::size_t runs_begun(const std::filesystem::path& folder) {
  std::size_t count = 0;
  std::error_code gone;
  for (std::filesystem::recursive_directory_iterator entry(folder, gone), end; !gone && entry != end;
       entry.increment(gone))
    count += entry->path().filename() == "metrics.jsonl" ? 1 : 0;
  return count;
}

TEST_F(RunCommandsTest, a_sweep_that_was_killed_goes_on_and_ends_with_the_same_bits) {
  const auto cut = *scratch_ / "cut";
  int kills = 0;
  for (;;) {
    const std::size_t begun = runs_begun(cut);
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string command = "exec " RLTUNE_BIN_DIR "/rltune-lab " + sweep(cut, 2) + " >/dev/null 2>&1";
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    pid_t ended = 0;  // killed as soon as it has begun another run, unless it comes to its end
    while (ended == 0 && runs_begun(cut) == begun) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ended = ::waitpid(child, &status, WNOHANG);
    }
    if (ended == 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
    }
    if (WIFEXITED(status)) break;
    ++kills;
  }
  EXPECT_GE(kills, 2);
  expect_same_bits(folder(), cut);
}

TEST_F(RunCommandsTest, compare_puts_seeds_together_and_takes_their_interquartile_mean) {
  const auto object = lab("run compare --json " + folder()).json();
  EXPECT_EQ(object, answer_.json());  // what the sweep said at its end
  ASSERT_EQ(object["groups"].size(), 2U);
  const auto& group = object["groups"][1];
  EXPECT_EQ(group["name"], "gamma=0.98");
  std::vector<double> values;
  for (const auto& run : group["runs"]) {
    const auto state = runs::read_state(run["folder"].get<std::string>());
    ASSERT_TRUE(state);
    EXPECT_EQ(run["value"], *state->best_return);
    values.push_back(run["value"]);
  }
  EXPECT_EQ(group["interquartile_mean"], interquartile_mean(values));
  EXPECT_TRUE(group.contains("probability_better_than_first"));
  EXPECT_EQ(lab("run compare --metric nothing " + folder()).status, 2);
}

TEST_F(RunCommandsTest, list_show_and_explain_say_what_there_is) {
  const auto list = lab("run list --json " + folder()).json();
  ASSERT_EQ(list["runs"].size(), 4U);
  EXPECT_EQ(list["runs"][0]["status"], "finished");
  EXPECT_EQ(list["runs"][3]["seed"], 2);
  const std::string one = folder() + "/gamma=0.98/seed-1";
  const auto shown = lab("run show --json " + one).json();
  EXPECT_EQ(shown["hyperparameters"]["gamma"]["value"], "0.98");
  EXPECT_EQ(shown["hyperparameters"]["gamma"]["origin"], "command line");
  EXPECT_EQ(shown["curves"]["eval/mean_reward"]["values"].size(), 20U);
  EXPECT_NE(lab("run show " + one).output.find("█"), std::string::npos);
  const auto explained = lab("run explain --json " + one).json();
  ASSERT_EQ(explained["terms"].size(), 3U);
  EXPECT_EQ(explained["terms"][2]["term"], "torque");  // 0.001 u^2, and u is at most 2
  EXPECT_TRUE(explained["terms"][2]["never_acts"]);
  EXPECT_EQ(lab("run list /nowhere/at/all").status, 2);
}

TEST_F(RunCommandsTest, plot_writes_a_page_and_pictures) {
  const auto write = [&](const char* name) {
    const auto file = *scratch_ / name;
    EXPECT_EQ(lab("run plot " + folder() + " --title Curves --out " + file.string()).status, 0);
    return read_file(file).value_or("");
  };
  EXPECT_TRUE(write("page.html").starts_with("<!doctype html>"));
  EXPECT_TRUE(write("picture.png").starts_with("\x89PNG"));
  EXPECT_TRUE(write("picture.svg").starts_with("<?xml"));
  EXPECT_EQ(lab("run plot " + folder() + " --out picture.jpg").status, 2);
}

TEST_F(RunCommandsTest, a_training_that_fails_is_named_and_the_others_go_on) {
  const Answer answer = lab(
      "run sweep --json --seeds 1 --vary batch_size=32,none --out " + (*scratch_ / "failing").string() + kTrain, true);
  EXPECT_EQ(answer.status, 1);
  EXPECT_NE(answer.output.find("batch_size=none/seed-1"), std::string::npos) << answer.output;
  EXPECT_TRUE(std::filesystem::exists(*scratch_ / "failing/batch_size=32/seed-1/policy.onnx"));
}

// Once, and before anything is made of it.
TEST_F(RunCommandsTest, what_a_training_would_refuse_the_sweep_refuses) {
  const auto refusal = [&](const std::string& what) {
    const Answer answer = lab("run sweep --seeds 2 --out " + (*scratch_ / "none").string() + " " + what, true);
    EXPECT_EQ(answer.status, 2) << what;
    EXPECT_FALSE(std::filesystem::exists(*scratch_ / "none"));
    return answer.output;
  };
  EXPECT_THAT(refusal("--environment pendulum --algorithm sac"), testing::HasSubstr("come after --"));
  EXPECT_THAT(refusal("--vary gamma=0.9"), testing::HasSubstr("give what to train after --"));
  EXPECT_THAT(refusal("-- --environment pendulum --vary gamma=0.9"), testing::HasSubstr("--vary"));
  EXPECT_THAT(refusal("-- --environment pendulum --seed 3"), testing::HasSubstr("--seed after -- is the sweep's"));
  EXPECT_THAT(refusal("-- --environment pendulum --hyper gama=1"), testing::HasSubstr("gama"));
}

}  // namespace
}  // namespace rltune::lab
