#include "weights_board.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::agent {
namespace {

class WeightsBoardTest : public testing::Test {
 protected:
  ~WeightsBoardTest() override { std::filesystem::remove_all(folder_); }
  WeightsBoard open() { return std::move(*WeightsBoard::open(file_)); }
  static std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-board-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  std::filesystem::path folder_ = new_folder();
  std::filesystem::path file_ = WeightsBoard::path_in(folder_, "climate");
};

TEST_F(WeightsBoardTest, a_candidate_arrives_once_and_whole) {
  WeightsBoard learner = open(), agent = open();
  EXPECT_FALSE(agent.take());
  ASSERT_TRUE(learner.publish("weights", sha256("weights"),
                              {.observations = 100, .gain = 0.5, .gain_low = 0.1, .margin = 0.0}));
  const auto candidate = agent.take();
  ASSERT_TRUE(candidate);
  EXPECT_EQ(candidate->onnx, "weights");
  EXPECT_EQ(candidate->sha256, sha256("weights"));
  EXPECT_EQ(candidate->shadow.observations, 100U);
  EXPECT_EQ(candidate->shadow.gain_low, 0.1);
  EXPECT_FALSE(agent.take());
  ASSERT_TRUE(learner.publish("other", sha256("other"), {}));
  EXPECT_EQ(agent.take()->onnx, "other");
}

TEST_F(WeightsBoardTest, bytes_that_are_not_what_their_hash_says_do_not_arrive) {
  WeightsBoard learner = open(), agent = open();
  ASSERT_TRUE(learner.publish("weights", sha256("others"), {}));
  EXPECT_FALSE(agent.take());
}

TEST_F(WeightsBoardTest, weights_larger_than_the_board_are_refused) {
  WeightsBoard learner = open();
  EXPECT_FALSE(learner.publish(std::string(16U << 20U, 'x'), "hash", {}));
}

TEST_F(WeightsBoardTest, the_learner_reads_what_acts) {
  WeightsBoard learner = open(), agent = open();
  EXPECT_EQ(learner.acting(), "");
  agent.set_acting(sha256("weights"));
  EXPECT_EQ(learner.acting(), sha256("weights"));
}

TEST_F(WeightsBoardTest, a_learner_that_dies_while_it_writes_harms_nobody) {
  WeightsBoard agent = open();
  const std::string large(4U << 20U, 'y');
  const pid_t pid = ::fork();
  if (pid == 0) {
    WeightsBoard learner = open();
    const std::string hash = sha256(large);
    while (true) learner.publish(large, hash, {});
  }
  for (int i = 0; i < 50; ++i) {
    const auto candidate = agent.take();
    EXPECT_TRUE(!candidate || candidate->onnx.size() == large.size());
    ::usleep(1000);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  while (agent.take()) {
  }
  WeightsBoard successor = open();
  ASSERT_TRUE(successor.publish("weights", sha256("weights"), {}));
  const auto candidate = agent.take();
  ASSERT_TRUE(candidate);
  EXPECT_EQ(candidate->onnx, "weights");
}

TEST_F(WeightsBoardTest, a_file_that_is_no_board_is_refused) {
  ASSERT_TRUE(write_file(file_, std::string(64, 'z')));
  EXPECT_EQ(WeightsBoard::open(file_).error().code, Errc::mismatch);
}

}  // namespace
}  // namespace rltune::agent
