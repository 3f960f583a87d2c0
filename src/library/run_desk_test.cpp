#include "rltune/library/run_desk.hpp"

#include <gmock/gmock.h>

#include <format>

#include "rltune/base/file.hpp"
#include "rltune/runs/run.hpp"
#include "temporary_folder.hpp"

namespace rltune::library {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRun = R"({"format": "rltune/run/v1", "environment": "pendulum", "algorithm": "sac", "seed": 3,
  "steps": 1000, "hyperparameters": {"gamma": {"value": "0.98", "origin": "command line"}},
  "provenance": {"version": "1", "cores": 2}})";

class RunDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"runs/a", "runs/sweep/gamma=0.98,hidden=64x64/seed-1", "policies/spring"}) make_run(name);
    std::string lines;
    for (int step = 1; step <= 1000; ++step)
      lines += std::format("{{\"time/total_timesteps\":{},\"eval/mean_reward\":{},\"train/loss\":1.5}}\n", 10 * step,
                           step % 97);
    ASSERT_TRUE(write_file(folder_.path() / "runs/a/metrics.jsonl", lines));
  }
  void make_run(const std::string& name) const {
    const auto folder = folder_.path() / name;
    ASSERT_TRUE(write_file(folder / "run.json", kRun));
    ASSERT_TRUE(runs::write_state(folder, {.status = runs::Status::finished,
                                           .step = 1000,
                                           .steps_planned = 1000,
                                           .best_return = -150.5,
                                           .setbacks = {{300, 250, "train/critic_loss is nan", 0.5}},
                                           .started = *parse_rfc3339("2026-01-02T03:04:05Z"),
                                           .updated = *parse_rfc3339("2026-01-02T03:05:05Z")}));
  }
  std::vector<std::string> names(v1::RunsRequest request, std::string* next = nullptr) const {
    v1::RunsAnswer answer;
    desk_.list(request, answer);
    std::vector<std::string> found;
    for (const v1::RunInfo& run : answer.runs()) found.push_back(run.run());
    if (next != nullptr) *next = answer.next_after();
    return found;
  }
  Result<v1::RunFiguresAnswer> figures(const std::function<void(v1::RunFiguresRequest&)>& edit) const {
    v1::RunFiguresRequest request;
    request.set_run("runs~a");
    request.set_points(100);
    edit(request);
    v1::RunFiguresAnswer answer;
    if (const auto done = desk_.curves(request, answer); !done) return std::unexpected(done.error());
    return answer;
  }

  TemporaryFolder folder_;
  RunDesk desk_{{folder_.path() / "runs", folder_.path() / "policies", folder_.path() / "none"}};
};

TEST_F(RunDeskTest, runs_are_listed_by_name_in_pages) {
  v1::RunsRequest request;
  request.set_limit(2);
  std::string next;
  EXPECT_THAT(names(request, &next), ElementsAre("policies~spring", "runs~a"));
  request.set_after(next);
  EXPECT_THAT(names(request, &next), ElementsAre("runs~sweep~gamma=0.98,hidden=64x64~seed-1"));
  EXPECT_EQ(next, "");
}

TEST_F(RunDeskTest, a_damaged_one_is_listed_with_what_is_wrong_and_nothing_of_the_host) {
  ASSERT_TRUE(write_file(folder_.path() / "runs/a/run.json", "nonsense"));
  v1::RunsRequest request;
  request.set_limit(10);
  v1::RunsAnswer answer;
  desk_.list(request, answer);
  ASSERT_EQ(answer.runs_size(), 3);
  EXPECT_THAT(answer.runs(1).trouble(), HasSubstr("runs~a is damaged"));
  EXPECT_EQ(answer.runs(1).status(), "");
  EXPECT_EQ(answer.runs(2).trouble(), "");
  v1::RunRequest one;
  one.set_run("runs~a");
  v1::RunAnswer none;
  const auto refused = desk_.tell(one, none);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, Not(HasSubstr(folder_.path().string())));
}

TEST_F(RunDeskTest, one_is_told_with_settings_setbacks_and_figures_in_short) {
  v1::RunRequest request;
  request.set_run("runs~a");
  v1::RunAnswer answer;
  ASSERT_TRUE(desk_.tell(request, answer));
  EXPECT_EQ(answer.run().status(), "finished");
  EXPECT_EQ(answer.run().best_return(), -150.5);
  EXPECT_EQ(answer.hyperparameters(0).origin(), "command line");
  EXPECT_EQ(answer.setbacks(0).back_to(), 250U);
  ASSERT_EQ(answer.figures_size(), 2);
  EXPECT_EQ(answer.figures(0).name(), "eval/mean_reward");
  EXPECT_EQ(answer.figures(0).records(), 1000U);
  EXPECT_EQ(answer.figures(0).first(), 1.0);
  EXPECT_EQ(answer.figures(0).highest(), 96.0);
  request.set_run("policies~spring");
  v1::RunAnswer young;
  EXPECT_TRUE(desk_.tell(request, young)) << "it has no figures yet";
  for (const char* name : {"runs", "none", "../runs~a", "", "runs~.."}) {
    request.set_run(name);
    EXPECT_EQ(desk_.tell(request, answer).error().code, Errc::not_found) << name;
  }
}

TEST_F(RunDeskTest, curves_are_thinned_and_a_stretch_of_them_shows_more) {
  const auto all = figures([](auto&) {});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->curves_size(), 2);
  EXPECT_EQ(all->curves(0).steps_size(), 100);
  EXPECT_EQ(all->curves(0).records(), 1000U);
  const auto stretch = figures([](auto& request) {
    request.set_figure("eval/mean_reward");
    request.set_from_step(15);
    request.set_to_step(50);
  });
  ASSERT_TRUE(stretch);
  ASSERT_EQ(stretch->curves_size(), 1);
  EXPECT_THAT(stretch->curves(0).steps(), ElementsAre(20.0, 30.0, 40.0));
  EXPECT_THAT(stretch->curves(0).values(), ElementsAre(2.0, 3.0, 4.0));
  const auto backwards = figures([](auto& request) {
    request.set_from_step(50);
    request.set_to_step(20);
  });
  ASSERT_TRUE(backwards);
  EXPECT_EQ(backwards->curves(0).steps_size(), 0);
  EXPECT_EQ(figures([](auto& request) { request.set_figure("nothing"); }).error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::library
