#include "rltune/replay/replay_service.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/policy/policy_controller.hpp"
#include "sample_artifact.hpp"
#include "temporary_folder.hpp"

namespace rltune::replay {
namespace {

using namespace std::chrono_literals;

class ReplayServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(policy::save_artifact(folder_.path() / "artifacts/deployed", artifact_));
    ASSERT_TRUE(write_file(folder_.path() / "artifacts/broken/manifest.yaml", "nonsense"));
    controller_ = policy::PolicyController::create(artifact_).value();
  }
  // What io records of a decision of the policy.
  historian::Decision decide() {
    const std::vector<double> measurements{21.0, 600.0}, previous{40.0, 0.25}, exogenous{300.0}, forecast{1.0, 250.0};
    std::vector<double> inputs(2);
    EXPECT_EQ(controller_->act({measurements, previous, exogenous, forecast, 0.5}, inputs), controllers::Outcome::ok);
    historian::Decision decision;
    decision.time = decision.wall_time = TimePoint(1'800'000'000s);
    decision.id = make_id(decision.time);
    decision.agent = "climate";
    decision.origin = "policy";
    decision.policy_sha256 = artifact_.sha256;
    decision.observation.assign(controller_->observation().begin(), controller_->observation().end());
    decision.previous_inputs = previous;
    decision.network_output.assign(controller_->network_output().begin(), controller_->network_output().end());
    decision.outputs = {{.tag = "heating", .proposed = inputs[0], .present = true},
                        {.tag = "vents", .proposed = inputs[1], .present = true}};
    return decision;
  }
  v1::ReplayAnswer replayed(const historian::Decision& decision) {
    auto log = historian::DecisionLog::open(folder_.path() / "decisions");
    EXPECT_TRUE(log && log->append(decision) && log->flush());
    v1::ReplayRequest request;
    request.set_id(decision.id);
    v1::ReplayAnswer answer;
    const auto done = service_.replay(request, answer);
    EXPECT_TRUE(done) << done.error().message;
    return answer;
  }

  TemporaryFolder folder_;
  policy::Artifact artifact_ = policy::sample_artifact();
  std::unique_ptr<policy::PolicyController> controller_;
  ReplayService service_{{.decisions = folder_.path() / "decisions",
                          .weights = folder_.path() / "policies",
                          .deployed = folder_.path() / "artifacts",
                          .policies = {folder_.path() / "gone"}}};
};

TEST_F(ReplayServiceTest, a_decision_of_a_deployed_policy_comes_out_the_same) {
  const v1::ReplayAnswer answer = replayed(decide());
  EXPECT_EQ(answer.outcome(), "same") << answer.reason();
  EXPECT_EQ(answer.differences_size(), 0);
}

TEST_F(ReplayServiceTest, a_bit_that_differs_is_shown_with_every_digit) {
  historian::Decision decision = decide();
  decision.outputs[1].proposed = std::nextafter(decision.outputs[1].proposed, 2.0);
  const v1::ReplayAnswer answer = replayed(decision);
  EXPECT_EQ(answer.outcome(), "different");
  ASSERT_EQ(answer.differences_size(), 1);
  EXPECT_EQ(answer.differences(0).what(), "proposed vents");
  EXPECT_NE(answer.differences(0).recorded(), answer.differences(0).computed());
}

TEST_F(ReplayServiceTest, what_cannot_be_computed_says_why) {
  historian::Decision decision = decide();
  decision.policy_sha256 = std::string(64, '0');
  const v1::ReplayAnswer unknown = replayed(decision);
  EXPECT_EQ(unknown.outcome(), "unknown");
  EXPECT_FALSE(unknown.reason().empty());
  v1::ReplayAnswer answer;
  EXPECT_EQ(service_.replay({}, answer).error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::replay
