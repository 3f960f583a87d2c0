#include "plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::coredinator {
namespace {

using testing::ElementsAre;

std::vector<Planned> example() {
  config::Site site;
  config::Agent climate, light;
  climate.id = "climate";
  climate.learning.enabled = true;
  light.id = "light";
  site.agents = {climate, light};
  return plan(site, {"/site/site.yaml", "/run/rltune", "/opt/rltune/bin"});
}

TEST(Plan, a_site_has_io_its_agents_and_their_learners) {
  std::vector<std::string> names, firsts;
  for (const Planned& planned : example()) {
    names.push_back(planned.spec.name());
    firsts.push_back(planned.waits_for);
  }
  EXPECT_THAT(names, ElementsAre("io", "agent.climate", "learner.climate", "agent.light"));
  EXPECT_THAT(firsts, ElementsAre("", "io", "agent.climate", "io"));
}

TEST(Plan, commands_are_complete) {
  const auto roles = example();
  EXPECT_THAT(roles[0].spec.command(),
              ElementsAre("/opt/rltune/bin/rltune-io", "--site", "/site/site.yaml", "--run-folder", "/run/rltune"));
  EXPECT_THAT(roles[2].spec.command(), ElementsAre("/opt/rltune/bin/rltune-learner", "--site", "/site/site.yaml",
                                                   "--run-folder", "/run/rltune", "--agent", "climate"));
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

TEST(Resolve, a_target_is_a_role_or_an_agents_id) {
  const auto roles = example();
  EXPECT_EQ(resolve(roles, "io").value_or(""), "io");
  EXPECT_EQ(resolve(roles, "climate").value_or(""), "agent.climate");
  EXPECT_EQ(resolve(roles, "learner.climate").value_or(""), "learner.climate");
  const auto unknown = resolve(roles, "nonsense");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, testing::HasSubstr("agent.light"));
}

}  // namespace
}  // namespace rltune::coredinator
