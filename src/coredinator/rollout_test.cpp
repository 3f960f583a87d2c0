#include "rollout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A site of one agent whose registry does at once what the rollout says.
class RolloutTest : public testing::Test {
 protected:
  RolloutTest() {
    Version first, second;
    first.version = kFirstVersion;
    first.state = VersionState::active;
    second.version = "2.0.0";
    second.artifact_sha256 = "abc";
    second.traffic = {
        .shadow_s = 5.0, .shadow_proposals = 20, .canary_percent = {10.0, 50.0}, .canary_s = 4.0, .probation_s = 30.0};
    agent_ = {.id = "climate", .versions = {first, second}};
    decides(kFirstVersion);
  }

  Version& version(const std::string& name) { return *std::ranges::find(agent_.versions, name, &Version::version); }
  VersionState state(const std::string& name = "2.0.0") { return version(name).state; }
  void decides(const std::string& name) {
    Sight& sight = seen_[name];
    sight.attached = sight.validated = true;
    sight.proposals += 10;
    sight.latency = 1ms;
    sight.quiet = 0s;
  }
  void commit(const std::vector<Transition>& transitions) {
    for (const Transition& transition : transitions) {
      Version& moved = version(transition.version);
      moved.state = transition.to;
      moved.reason = transition.reason;
      moved.step = transition.step;
      moved.changed += 1s;
    }
    ASSERT_EQ(std::ranges::count(agent_.versions, VersionState::active, &Version::state), 1);
  }
  void turn() { commit(rollout_.due(agent_, seen_, now_)); }
  // Ten decisions of everybody a second.
  void run(Duration span) {
    for (Duration end = now_ + span; now_ < end; now_ += 1s) {
      for (auto& [name, sight] : seen_)
        if (runs(state(name)) && sight.attached) decides(name);
      turn();
    }
  }
  void reach(VersionState wanted) {
    turn();
    seen_["2.0.0"] = {};
    decides("2.0.0");
    for (int i = 0; i < 60 && state() != wanted; ++i) run(1s);
    ASSERT_EQ(state(), wanted) << version("2.0.0").reason;
  }

  AgentRecord agent_;
  Rollout rollout_{100ms};
  std::map<std::string, Sight> seen_;
  Duration now_ = 100s;
};

TEST_F(RolloutTest, a_good_version_goes_through_every_stage_in_its_time) {
  turn();
  EXPECT_EQ(state(), VersionState::validating);
  run(3s);
  EXPECT_EQ(state(), VersionState::validating) << "it has not attached";
  decides("2.0.0");
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
  run(5s);
  EXPECT_EQ(state(), VersionState::shadow);
  run(1s);
  EXPECT_EQ(state(), VersionState::canary);
  EXPECT_EQ(version("2.0.0").canary_share(), 10.0);
  run(5s);
  EXPECT_EQ(version("2.0.0").canary_share(), 50.0);
  run(5s);
  EXPECT_EQ(state(), VersionState::active);
  EXPECT_EQ(state(kFirstVersion), VersionState::standby);
  run(29s);
  EXPECT_EQ(state(kFirstVersion), VersionState::standby);
  run(3s);
  EXPECT_EQ(state(kFirstVersion), VersionState::retired);
  EXPECT_EQ(state(), VersionState::active);
}

TEST_F(RolloutTest, time_alone_does_not_pass_a_version_that_proposed_little) {
  reach(VersionState::shadow);
  turn();
  seen_["2.0.0"].proposals += 5;
  now_ += 60s;
  seen_["2.0.0"].quiet = 0s;
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
}

TEST_F(RolloutTest, held_it_waits_for_a_person) {
  version("2.0.0").traffic.hold = true;
  reach(VersionState::canary);
  run(60s);
  EXPECT_EQ(state(), VersionState::canary);
  commit(promote(agent_, "2.0.0").value());
  EXPECT_EQ(state(), VersionState::active);
}

TEST_F(RolloutTest, paused_it_goes_no_further_and_is_judged_all_the_same) {
  reach(VersionState::shadow);
  version("2.0.0").paused = true;
  run(60s);
  EXPECT_EQ(state(), VersionState::shadow);
  seen_["2.0.0"].faults = 1;
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
}

TEST_F(RolloutTest, a_death_right_after_a_stage_was_decided_counts_in_that_stage) {
  for (const VersionState stage : {VersionState::shadow, VersionState::canary, VersionState::active}) {
    version("2.0.0").state = VersionState::staged;
    version(kFirstVersion).state = VersionState::active;
    reach(stage);
    seen_["2.0.0"].restarts += 1;
    turn();
    EXPECT_EQ(state(), VersionState::rolled_back) << to_string(stage);
  }
}

struct Trouble {
  const char* name;
  void (*happens)(Sight&);
  const char* reason;
};

const Trouble kTroubles[]{
    {"died", [](Sight& sight) { sight.restarts = 1, sight.reason = "signal 11"; }, "it died: signal 11"},
    {"refused", [](Sight& sight) { sight.refused = true, sight.reason = "see its log"; }, "refused"},
    {"hung", [](Sight& sight) { sight.quiet = 2s; }, "no proposal"},
    {"lost_io", [](Sight& sight) { sight.attached = false, sight.unattached = 11s; }, "did not attach"},
    {"not_finite", [](Sight& sight) { sight.faults += 1; }, "not finite"},
    {"slow", [](Sight& sight) { sight.latency = 51ms; }, "half of its decisions take longer than 51 ms"},
    {"leaking", [](Sight& sight) { sight.resident_mib = 1025.0; }, "1025 MiB of memory"},
    {"unvalidated", [](Sight& sight) { sight.validated = false; }, "validation"},
    {"wrong", [](Sight& sight) { sight.proposals += 100, sight.interventions += 50; }, "the guard changes"},
};

class RolloutTrouble : public RolloutTest, public testing::WithParamInterface<Trouble> {};

TEST_P(RolloutTrouble, rolls_a_candidate_back_in_shadow_and_in_canary) {
  for (const VersionState stage : {VersionState::shadow, VersionState::canary}) {
    version("2.0.0").state = VersionState::staged;
    reach(stage);
    run(2s);
    GetParam().happens(seen_["2.0.0"]);
    turn();
    EXPECT_EQ(state(), VersionState::rolled_back);
    EXPECT_THAT(version("2.0.0").reason, HasSubstr(GetParam().reason));
    EXPECT_EQ(state(kFirstVersion), VersionState::active) << "the plant notices nothing";
  }
}

TEST_P(RolloutTrouble, gives_the_plant_back_to_the_predecessor_on_probation) {
  reach(VersionState::active);
  run(2s);
  GetParam().happens(seen_["2.0.0"]);
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
  EXPECT_THAT(version("2.0.0").reason, HasSubstr(GetParam().reason));
  EXPECT_EQ(state(kFirstVersion), VersionState::active);
}

INSTANTIATE_TEST_SUITE_P(Every, RolloutTrouble, testing::ValuesIn(kTroubles),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(RolloutTest, its_own_limits_count_where_it_has_some) {
  version("2.0.0").traffic.latency_max_s = 0.2;
  version("2.0.0").traffic.memory_max_mib = 2000.0;
  reach(VersionState::shadow);
  seen_["2.0.0"].resident_mib = 1025.0;
  seen_["2.0.0"].latency = 199ms;
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
  seen_["2.0.0"].latency = 201ms;
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
}

// Spread 1 around the mean: the mean of 100 is known to 0.1.
void earns(Sight& sight, std::uint64_t batches, double mean) {
  sight.reward = {batches, mean, static_cast<double>(batches - 1)};
}

TEST_F(RolloutTest, on_probation_it_must_not_earn_less_than_its_predecessor_where_that_is_asked) {
  version("2.0.0").traffic.objective_drop = 0.5;
  reach(VersionState::active);
  earns(seen_[kFirstVersion], 100, 3.0);
  earns(seen_["2.0.0"], 9, -100.0);
  turn();
  EXPECT_EQ(state(), VersionState::active) << "so few say nothing";
  earns(seen_["2.0.0"], 100, 2.4);
  turn();
  EXPECT_EQ(state(), VersionState::active) << "that may be chance";
  earns(seen_["2.0.0"], 100, 2.1);
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
  EXPECT_THAT(version("2.0.0").reason, HasSubstr("mean reward is 2.1"));
  EXPECT_EQ(state(kFirstVersion), VersionState::active);
}

TEST_F(RolloutTest, what_it_earns_is_not_judged_where_nobody_asked) {
  reach(VersionState::active);
  earns(seen_[kFirstVersion], 100, 3.0);
  earns(seen_["2.0.0"], 100, -3.0);
  turn();
  EXPECT_EQ(state(), VersionState::active);
}

TEST_F(RolloutTest, it_waits_for_its_evaluation_on_the_twin) {
  turn();
  decides("2.0.0");
  seen_["2.0.0"].evaluation = Sight::Evaluation::running;
  run(60s);
  EXPECT_EQ(state(), VersionState::validating);
  seen_["2.0.0"].evaluation = Sight::Evaluation::passed;
  seen_["2.0.0"].evaluated = "gain 0.3";
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
  EXPECT_THAT(version("2.0.0").reason, HasSubstr("on the twin: gain 0.3"));
}

TEST_F(RolloutTest, a_version_that_is_worse_on_the_twin_is_rolled_back) {
  turn();
  decides("2.0.0");
  seen_["2.0.0"].evaluation = Sight::Evaluation::failed;
  seen_["2.0.0"].evaluated = "gain -3";
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
  EXPECT_EQ(version("2.0.0").reason, "on the twin: gain -3");
}

TEST_F(RolloutTest, a_version_that_never_attaches_is_given_up) {
  turn();
  seen_["2.0.0"].unattached = 9s;
  turn();
  EXPECT_EQ(state(), VersionState::validating);
  seen_["2.0.0"].unattached = 10s;
  turn();
  EXPECT_EQ(state(), VersionState::rolled_back);
}

TEST_F(RolloutTest, when_the_plant_says_nothing_no_version_is_to_blame) {
  reach(VersionState::shadow);
  turn();
  now_ += 5s;
  for (auto& [name, sight] : seen_) sight.quiet = 5s;
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
}

TEST_F(RolloutTest, what_the_guard_changes_of_the_active_one_as_well_is_no_fault_of_the_new_one) {
  reach(VersionState::shadow);
  turn();
  seen_[kFirstVersion].interventions = seen_[kFirstVersion].proposals;
  seen_["2.0.0"].proposals += 100;
  seen_["2.0.0"].interventions += 100;
  turn();
  EXPECT_NE(state(), VersionState::rolled_back) << version("2.0.0").reason;
}

TEST_F(RolloutTest, counters_that_begin_anew_are_no_trouble) {
  reach(VersionState::shadow);
  turn();
  seen_["2.0.0"].faults = 0;
  seen_["2.0.0"].proposals = 3;
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
}

TEST_F(RolloutTest, the_rollback_of_the_active_version_waits_for_no_canary_and_takes_it_along) {
  reach(VersionState::active);
  Version third = version("2.0.0");
  third.version = "3.0.0";
  third.state = VersionState::canary;
  agent_.versions.push_back(third);
  decides("3.0.0");
  turn();
  seen_["2.0.0"].faults += 1;
  turn();
  EXPECT_EQ(state(kFirstVersion), VersionState::active);
  EXPECT_EQ(state("2.0.0"), VersionState::rolled_back);
  EXPECT_EQ(state("3.0.0"), VersionState::rolled_back);
}

TEST_F(RolloutTest, a_bad_candidate_does_not_keep_the_next_one_waiting) {
  Version third = version("2.0.0");
  third.version = "3.0.0";
  agent_.versions.push_back(third);
  turn();
  EXPECT_EQ(state("3.0.0"), VersionState::staged);
  seen_["2.0.0"].refused = true;
  turn();
  turn();
  EXPECT_EQ(state("2.0.0"), VersionState::rolled_back);
  EXPECT_EQ(state("3.0.0"), VersionState::validating);
}

TEST_F(RolloutTest, an_agent_that_stands_still_is_not_judged) {
  reach(VersionState::shadow);
  agent_.running = false;
  seen_["2.0.0"].quiet = 100s;
  seen_["2.0.0"].attached = false;
  turn();
  EXPECT_EQ(state(), VersionState::shadow);
}

TEST_F(RolloutTest, a_person_undoes_the_last_change) {
  EXPECT_FALSE(roll_back(agent_)) << "there is nothing before the first version";
  reach(VersionState::shadow);
  commit(roll_back(agent_).value());
  EXPECT_EQ(state(), VersionState::rolled_back);
  EXPECT_EQ(state(kFirstVersion), VersionState::active);

  version("2.0.0").state = VersionState::staged;
  reach(VersionState::active);
  run(40s);
  ASSERT_EQ(state(kFirstVersion), VersionState::retired);
  commit(roll_back(agent_).value());
  EXPECT_EQ(state(), VersionState::rolled_back);
  EXPECT_EQ(state(kFirstVersion), VersionState::active) << "long after its predecessor was stopped";
}

TEST_F(RolloutTest, only_what_has_decided_in_shadow_can_be_promoted) {
  EXPECT_THAT(promote(agent_, "2.0.0").error().message, HasSubstr("shadow"));
  EXPECT_THAT(promote(agent_, "9.0.0").error().message, HasSubstr("2.0.0"));
  EXPECT_FALSE(promote(agent_, kFirstVersion));
  reach(VersionState::shadow);
  EXPECT_TRUE(promote(agent_, "2.0.0"));
}

}  // namespace
}  // namespace rltune::coredinator
