// rltune policy show, by its executable.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "rltune/base/file.hpp"
#include "sample_artifact.hpp"

namespace rltune {
namespace {

struct Answer {
  int status = -1;
  std::string output;
};

Answer show(const std::string& arguments) {
  std::FILE* pipe = ::popen((RLTUNE_BIN_DIR "/rltune-lab policy show " + arguments + " 2>&1").c_str(), "r");
  Answer answer;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) answer.output.append(buffer, count);
  const int status = ::pclose(pipe);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

class PolicyShowTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(policy::save_artifact(folder_, artifact_)); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rltune_policy_show_" + std::to_string(::getpid()));
  policy::Artifact artifact_ = policy::sample_artifact();
};

TEST_F(PolicyShowTest, json_says_what_the_policy_is) {
  const Answer answer = show(folder_.string() + " --json");
  ASSERT_EQ(answer.status, 0) << answer.output;
  const auto object = nlohmann::json::parse(answer.output);
  EXPECT_EQ(object["sha256"], artifact_.sha256);
  EXPECT_EQ(object["plant"], "lettuce");
  EXPECT_EQ(object["layers"].size(), 2U);
  EXPECT_EQ(object["observation"][3]["source"], "forecast");
  EXPECT_EQ(object["action"][1]["kind"], "increment");
  EXPECT_TRUE(object["validation"]["passed"].get<bool>());
}

TEST_F(PolicyShowTest, text_says_when_validation_failed) {
  artifact_.manifest.validation = {false, {"worse than the rule"}, {}};
  ASSERT_TRUE(policy::save_artifact(folder_, artifact_));
  const Answer answer = show(folder_.string());
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.output.find("validation FAILED"), std::string::npos);
  EXPECT_NE(answer.output.find("worse than the rule"), std::string::npos);
}

TEST_F(PolicyShowTest, damaged_policy_is_refused_with_the_reason) {
  ASSERT_TRUE(write_file(folder_ / "policy.onnx", read_file(folder_ / "policy.onnx").value() + " "));
  const Answer answer = show(folder_.string() + " --json");
  EXPECT_EQ(answer.status, 1);
  EXPECT_NE(answer.output.find("policy.onnx: its sha256 is"), std::string::npos) << answer.output;
  EXPECT_EQ(show("/nowhere/at/all").status, 2);
  EXPECT_EQ(show("").status, 2);
}

}  // namespace
}  // namespace rltune
