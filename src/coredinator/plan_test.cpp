#include "plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::coredinator {
namespace {

using testing::ElementsAre;

std::vector<Planned> example() {
  const Options options{"/site/site.yaml", "/run/rltune", "/opt/rltune/bin"};
  config::Agent climate, light;
  climate.id = "climate";
  climate.learning.enabled = true;
  light.id = "light";
  std::vector<Planned> roles{plan_io(options)};
  const auto add = [&](const config::Agent& agent, const Deployed& deployed) {
    std::ranges::move(plan_instance(agent, deployed, options), std::back_inserter(roles));
  };
  add(climate, {.instance = "climate", .artifact = {}, .active = true});
  add(climate, {.instance = "climate@2.0.0", .artifact = "/data/artifacts/abc"});
  add(light, {.instance = "light", .artifact = {}, .active = true});
  return roles;
}

TEST(Plan, a_site_has_io_the_versions_of_its_agents_and_a_learner_of_the_active_one) {
  std::vector<std::string> names, firsts;
  for (const Planned& planned : example()) {
    names.push_back(planned.spec.name());
    firsts.push_back(planned.waits_for);
  }
  EXPECT_THAT(names, ElementsAre("io", "agent.climate", "learner.climate", "agent.climate@2.0.0", "agent.light"));
  EXPECT_THAT(firsts, ElementsAre("", "io", "agent.climate", "io", "io"));
}

TEST(Plan, commands_are_complete) {
  const auto roles = example();
  EXPECT_THAT(roles[0].spec.command(),
              ElementsAre("/opt/rltune/bin/rltune-io", "--site", "/site/site.yaml", "--run-folder", "/run/rltune"));
  EXPECT_THAT(roles[2].spec.command(), ElementsAre("/opt/rltune/bin/rltune-learner", "--site", "/site/site.yaml",
                                                   "--run-folder", "/run/rltune", "--agent", "climate"));
  EXPECT_THAT(roles[3].spec.command(),
              ElementsAre("/opt/rltune/bin/rltune-agent", "--site", "/site/site.yaml", "--run-folder", "/run/rltune",
                          "--agent", "climate", "--instance", "climate@2.0.0", "--artifact", "/data/artifacts/abc"));
}

TEST(Plan, an_evaluation_plays_behind_the_sites_guard_at_the_lowest_priority) {
  config::Agent agent;
  agent.id = "climate";
  agent.plant = "lettuce";
  const Planned planned = plan_evaluation(
      agent,
      {.instance = "climate@2.0.0", .artifact = "/a/new", .against = "/a/old", .result = "/r.json", .seasons = 7},
      {.site = "/site/site.yaml", .run_folder = "/run/rltune", .executables = "/opt/rltune/bin"});
  EXPECT_TRUE(planned.once && planned.spec.once());
  EXPECT_EQ(planned.spec.name(), "evaluation.climate@2.0.0");
  EXPECT_EQ(planned.spec.nice(), 19);
  std::string command;
  for (const std::string& word : planned.spec.command()) command += word + " ";
  EXPECT_EQ(
      command,
      "/opt/rltune/bin/rltune-lab policy evaluate --plant lettuce --controller /a/new --against /a/old --guard "
      "/site/site.yaml --episodes 7 --parameter-noise 0.2 --per episode --forecast persistence --seed 1 --workers 1 "
      "--out /r.json --fail-if-worse ");
}

TEST(Plan, learning_yields_to_the_loop_and_stops_before_it) {
  const auto roles = example();
  const v1::RoleSpec &io = roles[0].spec, &agent = roles[1].spec, &learner = roles[2].spec;
  EXPECT_EQ(learner.nice(), 19);
  EXPECT_EQ(agent.nice(), 0);
  EXPECT_GT(learner.oom_score_adjust(), agent.oom_score_adjust());
  EXPECT_GT(agent.oom_score_adjust(), io.oom_score_adjust());
  EXPECT_GT(learner.order(), agent.order());
  EXPECT_GT(agent.order(), io.order());
}

}  // namespace
}  // namespace rltune::coredinator
