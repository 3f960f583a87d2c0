#include "rltune/library/policy_desk.hpp"

#include <gmock/gmock.h>

#include "rltune/base/file.hpp"
#include "sample_artifact.hpp"
#include "temporary_folder.hpp"

namespace rltune::library {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PolicyDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(policy::save_artifact(folder_.path() / "policies/spring", spring_));
    ASSERT_TRUE(policy::save_artifact(folder_.path() / "data/artifacts/0123", spring_));
    ASSERT_TRUE(policy::save_artifact(folder_.path() / "own", own_));
    ASSERT_TRUE(write_file(folder_.path() / "policies/notes/readme.txt", "no policy"));
  }
  v1::PoliciesAnswer listed() const {
    v1::PoliciesAnswer answer;
    desk_.list(answer);
    return answer;
  }

  TemporaryFolder folder_;
  policy::Artifact spring_ = policy::sample_artifact(1), own_ = policy::recurrent_sample_artifact(2);
  PolicyDesk desk_{{.site = folder_.path(),
                    .policies = folder_.path() / "policies",
                    .deployed = folder_.path() / "data/artifacts",
                    .agents = {{"climate", folder_.path() / "own"}, {"rails", folder_.path() / "./own"}}}};
};

TEST_F(PolicyDeskTest, one_network_is_one_policy_wherever_it_lies) {
  const v1::PoliciesAnswer answer = listed();
  ASSERT_EQ(answer.policies_size(), 2);
  const v1::PolicyInfo &spring = answer.policies(0), &own = answer.policies(1);
  EXPECT_THAT(spring.folders(), ElementsAre("policies/spring"));
  EXPECT_EQ(spring.sha256(), spring_.sha256);
  EXPECT_TRUE(spring.deployed() && spring.passed());
  EXPECT_EQ(spring.trouble(), "");
  EXPECT_THAT(spring.agents(), ElementsAre());
  EXPECT_THAT(own.folders(), ElementsAre("own"));
  EXPECT_THAT(own.agents(), ElementsAre("climate", "rails"));
  EXPECT_FALSE(own.deployed());
}

TEST_F(PolicyDeskTest, a_damaged_one_says_what_is_wrong_and_nothing_of_the_host) {
  const auto file = folder_.path() / "policies/spring/policy.onnx";
  ASSERT_TRUE(write_file(file, read_file(file).value() + " "));
  const v1::PoliciesAnswer answer = listed();
  ASSERT_EQ(answer.policies_size(), 3) << "the deployed copy is whole";
  EXPECT_EQ(answer.policies(0).sha256(), "");
  EXPECT_THAT(answer.policies(0).trouble(), HasSubstr("policies/spring/policy.onnx: its sha256 is"));
  EXPECT_THAT(answer.policies(0).trouble(), Not(HasSubstr(folder_.path().string())));
  EXPECT_TRUE(answer.policies(2).deployed());
}

TEST_F(PolicyDeskTest, one_is_told_with_all_that_its_manifest_says) {
  v1::PolicyRequest request;
  request.set_sha256(own_.sha256);
  v1::PolicyAnswer answer;
  ASSERT_TRUE(desk_.tell(request, answer));
  EXPECT_THAT(answer.policy().agents(), ElementsAre("climate", "rails"));
  ASSERT_EQ(answer.observation_size(), 5);
  EXPECT_EQ(answer.observation(3).source(), "forecast");
  EXPECT_EQ(answer.observation(3).lead(), 2U);
  EXPECT_EQ(answer.action(1).kind(), "increment");
  EXPECT_EQ(answer.layers(0).kind(), "gru");
  EXPECT_EQ(answer.layers(1).kind(), "lstm");
  EXPECT_EQ(answer.layers(answer.layers_size() - 1).activation(), "tanh");
  EXPECT_EQ(answer.figures().at("gain_low"), 0.1);
  EXPECT_EQ(answer.files().at("policy.onnx"), own_.sha256);
  request.set_sha256(std::string(64, '0'));
  v1::PolicyAnswer none;
  EXPECT_EQ(desk_.tell(request, none).error().code, Errc::not_found);
}

TEST_F(PolicyDeskTest, a_site_without_folders_has_no_policies) {
  const PolicyDesk empty({.site = folder_.path(), .policies = folder_.path() / "none", .deployed = {}, .agents = {}});
  v1::PoliciesAnswer answer;
  empty.list(answer);
  EXPECT_EQ(answer.policies_size(), 0);
}

}  // namespace
}  // namespace rltune::library
