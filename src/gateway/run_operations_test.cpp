#include "run_operations.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

class RunOperations : public GatewayTest {
 protected:
  void SetUp() override {
    v1::RunInfo& run = *library_.run.mutable_run();
    run.set_run("runs~gamma=0.98,hidden=64x64~seed-1");
    run.set_status("finished");
    run.set_best_return(-131.8);
    run.set_started_unix_ns(1'800'000'000'000'000'000);
    *library_.runs.add_runs() = run;
    GatewayTest::SetUp();
    viewer_ = token("viewer");
  }
  json get(const std::string& path, int status = 200) {
    const HttpAnswer answer = call("GET /api/v1/runs" + path, viewer_);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  std::string viewer_;
};

TEST_F(RunOperations, they_come_in_pages) {
  library_.runs.set_next_after("runs~gamma=0.98,hidden=64x64~seed-1");
  const json page = get("?limit=1");
  EXPECT_EQ(asked(), "records.Runs coredinator.records by viewer 1 ");
  EXPECT_EQ(page["runs"][0]["best_return"], -131.8);
  EXPECT_EQ(page["runs"][0]["started"], "2027-01-15T08:00:00Z");
  get("?cursor=runs~gamma%3D0.98,hidden%3D64x64~seed-1");
  EXPECT_EQ(asked(), "records.Runs coredinator.records by viewer 100 " + page["next"].get<std::string>());
  EXPECT_EQ(get("?limit=0", 422)["errors"][0]["parameter"], "limit");
  EXPECT_EQ(call("GET /api/v1/runs").status, 401);
}

TEST_F(RunOperations, one_is_told_whole_by_the_name_of_its_folder) {
  v1::RunSetting& gamma = *library_.run.add_hyperparameters();
  gamma.set_name("gamma");
  gamma.set_value("0.98");
  gamma.set_origin("command line");
  library_.run.add_setbacks()->set_what("train/critic_loss is nan");
  library_.run.add_figures()->set_name("eval/mean_reward");
  const json whole = get("/runs~gamma=0.98,hidden=64x64~seed-1");
  EXPECT_EQ(asked(), "records.Run coredinator.records by viewer runs~gamma=0.98,hidden=64x64~seed-1");
  EXPECT_EQ(whole["run"]["status"], "finished");
  EXPECT_EQ(whole["hyperparameters"][0]["origin"], "command line");
  EXPECT_EQ(whole["setbacks"][0]["what"], "train/critic_loss is nan");
  EXPECT_EQ(whole["figures"][0]["name"], "eval/mean_reward");
  get("/nothing", 404);
}

TEST_F(RunOperations, its_curves_are_asked_for_by_name_and_stretch) {
  v1::RunCurve& curve = *library_.figures.add_curves();
  curve.set_name("eval/mean_reward");
  curve.set_records(900);
  curve.add_steps(500.0);
  curve.add_values(-200.0);
  const json figures = get("/a/figures?figure=eval/mean_reward&points=50&from_step=100&to_step=9000");
  EXPECT_EQ(asked(), "records.RunFigures coredinator.records by viewer a eval/mean_reward 50 100 9000");
  EXPECT_EQ(figures["run"], "a");
  EXPECT_EQ(figures["curves"][0]["records"], 900);
  EXPECT_EQ(figures["curves"][0]["values"], json({-200.0}));
  get("/a/figures");
  EXPECT_EQ(asked(), "records.RunFigures coredinator.records by viewer a  200 0 0");
  EXPECT_EQ(get("/a/figures?points=1", 422)["errors"][0]["parameter"], "points");
}

}  // namespace
}  // namespace rltune::gateway
