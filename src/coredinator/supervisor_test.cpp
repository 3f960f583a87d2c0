#include "supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Planned role(const std::string& name, const std::string& waits_for, bool vital) {
  Planned planned;
  planned.spec.set_name(name);
  planned.waits_for = waits_for;
  planned.vital = vital;
  return planned;
}

class SupervisorTest : public testing::Test {
 protected:
  // Every due action as "spawn io", with the keeper's answer to each spawn.
  std::vector<std::string> turn(bool keeper_answers = true) {
    std::vector<std::string> texts;
    for (const Action& action : supervisor_.due(now_)) {
      const char* kind = action.kind == Action::Kind::spawn  ? "spawn "
                         : action.kind == Action::Kind::stop ? "stop "
                         : action.kind == Action::Kind::kill ? "kill "
                                                             : "give up on ";
      texts.push_back(kind + action.role);
      if (action.kind == Action::Kind::spawn && keeper_answers) start(action.role);
    }
    return texts;
  }
  void start(const std::string& name) {
    v1::ChildStarted started;
    started.set_name(name);
    started.set_pid(pids_[name] = ++last_pid_);
    supervisor_.started(started, now_);
  }
  void answer(const std::string& name, bool healthy = true, const std::string& reason = {}) {
    v1::HealthAnswer health;
    health.set_healthy(healthy);
    health.set_reason(reason);
    health.set_pid(pids_[name]);
    supervisor_.answered(name, health, now_);
  }
  void die(const std::string& name, int signal = 9, int code = 0) {
    v1::ChildExited exited;
    exited.set_name(name);
    exited.set_pid(pids_[name]);
    exited.set_signal(signal);
    exited.set_exit_code(code);
    supervisor_.exited(exited, now_);
  }
  void run_both() {
    turn();
    answer("io");
    turn();
    answer("agent.a");
  }
  v1::RoleState state(const std::string& name) const {
    const v1::RolesAnswer roles = supervisor_.roles();
    for (const v1::RoleState& found : roles.roles())
      if (found.name() == name) return found;
    return {};
  }

  Supervisor supervisor_{{role("io", "", true), role("agent.a", "io", false)}};
  Duration now_ = 100s;
  std::map<std::string, std::int32_t> pids_;
  std::int32_t last_pid_ = 1000;
};

TEST_F(SupervisorTest, agents_start_when_io_has_answered) {
  EXPECT_EQ(state("agent.a").reason(), "waits for io");
  EXPECT_THAT(turn(), ElementsAre("spawn io"));
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(state("io").state(), "starting");
  answer("io", false, "plant not connected");
  EXPECT_EQ(state("io").state(), "unhealthy");
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

TEST_F(SupervisorTest, the_first_restart_comes_at_once_and_later_ones_back_off) {
  run_both();
  die("agent.a");
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
  die("agent.a");
  EXPECT_EQ(state("agent.a").state(), "backoff");
  EXPECT_THAT(turn(), IsEmpty());
  now_ += 100ms;
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
  die("agent.a");
  now_ += 100ms;
  EXPECT_THAT(turn(), IsEmpty());
  now_ += 100ms;
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
  EXPECT_EQ(state("agent.a").restarts(), 3U);
}

TEST_F(SupervisorTest, a_healthy_span_makes_the_next_death_the_first) {
  run_both();
  die("agent.a");
  turn();
  die("agent.a");
  now_ += 100ms;
  turn();
  for (int i = 0; i < 40; ++i) {
    now_ += 1s;
    answer("agent.a");
    answer("io");
    EXPECT_THAT(turn(), IsEmpty());
  }
  die("agent.a");
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

TEST_F(SupervisorTest, an_agent_comes_back_even_while_io_is_down) {
  run_both();
  die("io");
  die("agent.a");
  EXPECT_THAT(turn(), ElementsAre("spawn io", "spawn agent.a"));
}

TEST_F(SupervisorTest, a_role_that_stops_answering_is_killed_once) {
  run_both();
  now_ += 4s;
  answer("io");
  EXPECT_THAT(turn(), IsEmpty());
  now_ += 2s;
  EXPECT_THAT(turn(), ElementsAre("kill agent.a"));
  EXPECT_THAT(turn(), IsEmpty());
  die("agent.a");
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

TEST_F(SupervisorTest, a_slow_start_is_no_hang) {
  turn();
  now_ += 50s;
  EXPECT_THAT(turn(), IsEmpty());
  now_ += 11s;
  EXPECT_THAT(turn(), ElementsAre("kill io"));
}

TEST_F(SupervisorTest, unhealthy_is_the_worlds_fault_and_no_reason_to_restart) {
  run_both();
  for (int i = 0; i < 100; ++i) {
    now_ += 1s;
    answer("io", false, "server unreachable");
    answer("agent.a");
    ASSERT_THAT(turn(), IsEmpty());
  }
  EXPECT_EQ(state("io").reason(), "server unreachable");
}

TEST_F(SupervisorTest, who_refuses_to_run_is_not_asked_again) {
  run_both();
  die("agent.a", 0, 2);
  now_ += 1h;
  answer("io");
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(state("agent.a").state(), "failed");
  die("io", 0, 2);
  EXPECT_THAT(turn(), ElementsAre("give up on io"));
}

TEST_F(SupervisorTest, after_its_own_restart_it_keeps_what_runs) {
  v1::Children children;
  auto* io = children.add_children();
  io->set_name("io");
  io->set_pid(pids_["io"] = 77);
  auto* stranger = children.add_children();
  stranger->set_name("agent.removed");
  stranger->set_pid(78);
  supervisor_.adopt(children, now_);
  EXPECT_THAT(turn(), ElementsAre("kill agent.removed"));
  answer("io");
  EXPECT_EQ(state("io").pid(), 77);
  EXPECT_EQ(state("io").state(), "healthy");
}

TEST_F(SupervisorTest, a_death_that_nobody_told_of_is_found_in_the_list) {
  run_both();
  v1::Children children;
  auto* io = children.add_children();
  io->set_name("io");
  io->set_pid(pids_["io"]);
  supervisor_.adopt(children, now_);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

TEST_F(SupervisorTest, the_last_words_of_a_predecessor_do_not_count) {
  run_both();
  v1::HealthAnswer old;
  old.set_healthy(true);
  old.set_pid(pids_["agent.a"]);
  die("agent.a");
  turn();
  supervisor_.answered("agent.a", old, now_);
  EXPECT_EQ(state("agent.a").state(), "starting");
}

TEST_F(SupervisorTest, a_lost_answer_to_a_spawn_is_asked_for_again) {
  EXPECT_THAT(turn(false), ElementsAre("spawn io"));
  now_ += 4s;
  EXPECT_THAT(turn(false), IsEmpty());
  now_ += 2s;
  EXPECT_THAT(turn(false), ElementsAre("spawn io"));
}

TEST_F(SupervisorTest, while_everything_stops_nothing_starts) {
  run_both();
  supervisor_.stopping();
  die("agent.a", 0, 0);
  now_ += 1h;
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(state("agent.a").state(), "stopped");
}

TEST_F(SupervisorTest, a_role_that_is_wanted_later_starts_then_and_one_that_is_not_is_drained_and_stopped) {
  run_both();
  supervisor_.want({role("io", "", true), role("agent.a", "io", false), role("agent.b", "io", false)}, now_);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.b"));
  answer("agent.b");
  supervisor_.want({role("io", "", true), role("agent.b", "io", false)}, now_);
  EXPECT_THAT(turn(), IsEmpty()) << "it may have calls to answer";
  EXPECT_TRUE(supervisor_.settled());
  now_ += 2s;
  answer("io");
  answer("agent.b");
  EXPECT_THAT(turn(), ElementsAre("stop agent.a"));
  EXPECT_THAT(turn(), IsEmpty());
  die("agent.a", 0, 0);
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(supervisor_.planned().size(), 2U) << "it is forgotten";
}

TEST_F(SupervisorTest, a_role_that_is_wanted_again_in_time_runs_on) {
  run_both();
  supervisor_.want({role("io", "", true)}, now_);
  supervisor_.want({role("io", "", true), role("agent.a", "io", false)}, now_);
  now_ += 3s;
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_TRUE(supervisor_.running("agent.a"));
}

TEST_F(SupervisorTest, a_role_that_is_wanted_again_while_it_stops_starts_anew_without_a_mark) {
  run_both();
  supervisor_.want({role("io", "", true)}, now_);
  now_ += 2s;
  answer("io");
  EXPECT_THAT(turn(), ElementsAre("stop agent.a"));
  supervisor_.want({role("io", "", true), role("agent.a", "io", false)}, now_);
  die("agent.a", 0, 0);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
  EXPECT_EQ(state("agent.a").restarts(), 0U) << "it did what it was told";
}

TEST_F(SupervisorTest, a_role_that_a_person_stopped_stands_still_until_it_is_started) {
  run_both();
  Planned still = role("agent.a", "io", false);
  still.stopped = true;
  supervisor_.want({role("io", "", true), still}, now_);
  EXPECT_THAT(turn(), ElementsAre("stop agent.a"));
  die("agent.a", 0, 0);
  now_ += 4s;
  answer("io");
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(state("agent.a").state(), "stopped");
  supervisor_.want({role("io", "", true), role("agent.a", "io", false)}, now_);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

TEST_F(SupervisorTest, one_that_refused_is_tried_again_when_a_person_starts_it) {
  run_both();
  die("agent.a", 0, 2);
  EXPECT_EQ(state("agent.a").state(), "failed");
  Planned still = role("agent.a", "io", false);
  still.stopped = true;
  supervisor_.want({role("io", "", true), still}, now_);
  supervisor_.want({role("io", "", true), role("agent.a", "io", false)}, now_);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
}

// Of one that does its work and ends.
class OnceTest : public SupervisorTest {
 protected:
  OnceTest() {
    run_both();
    Planned once = role("evaluation.a", "", false);
    once.once = true;
    supervisor_.want({role("io", "", true), role("agent.a", "io", false), once}, now_);
    EXPECT_THAT(turn(), ElementsAre("spawn evaluation.a"));
  }
};

TEST_F(OnceTest, it_is_not_asked_for_its_health_and_not_started_again_when_it_is_done) {
  EXPECT_TRUE(supervisor_.settled());
  for (int i = 0; i < 60; ++i) {
    now_ += 1s;
    answer("io");
    answer("agent.a");
    ASSERT_THAT(turn(), IsEmpty());
  }
  EXPECT_EQ(state("evaluation.a").state(), "running");
  die("evaluation.a", 0, 0);
  EXPECT_EQ(state("evaluation.a").state(), "done");
  now_ += 1s;
  EXPECT_THAT(turn(), IsEmpty());
}

TEST_F(OnceTest, one_that_fails_stays_failed_and_one_that_takes_too_long_is_killed) {
  die("evaluation.a", 0, 1);
  EXPECT_EQ(state("evaluation.a").state(), "failed");
  EXPECT_EQ(state("evaluation.a").reason(), "exit 1");
  now_ += 1s;
  EXPECT_THAT(turn(), IsEmpty());
  start("evaluation.a");
  now_ += 15min;
  answer("io");
  answer("agent.a");
  EXPECT_THAT(turn(), ElementsAre("kill evaluation.a"));
}

TEST_F(SupervisorTest, one_that_says_how_long_it_may_take_has_that_long) {
  run_both();
  Planned backup = role("backup", "", false);
  backup.once = true;
  backup.limit = 1h;
  supervisor_.want({role("io", "", true), role("agent.a", "io", false), backup}, now_);
  ASSERT_THAT(turn(), ElementsAre("spawn backup"));
  for (const Duration more : {59min, 1min}) {
    EXPECT_THAT(turn(), IsEmpty());
    now_ += more;
    answer("io");
    answer("agent.a");
  }
  EXPECT_THAT(turn(), ElementsAre("kill backup"));
}

TEST_F(SupervisorTest, a_role_is_started_again_in_order_and_that_is_no_death) {
  run_both();
  supervisor_.restart("agent.a");
  EXPECT_THAT(turn(), ElementsAre("stop agent.a"));
  supervisor_.restart("agent.a");
  EXPECT_THAT(turn(), IsEmpty()) << "once is enough";
  die("agent.a", 0, 0);
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a"));
  EXPECT_EQ(state("agent.a").restarts(), 0U);
  answer("agent.a");
  EXPECT_THAT(turn(), IsEmpty());
}

TEST_F(SupervisorTest, a_vital_role_that_refuses_what_is_tried_ends_nothing_and_gets_another_chance) {
  run_both();
  supervisor_.forgive(true);
  supervisor_.restart("io");
  EXPECT_THAT(turn(), ElementsAre("stop io"));
  die("io", 15);
  EXPECT_THAT(turn(), ElementsAre("spawn io"));
  die("io", 0, 2);
  EXPECT_THAT(turn(), IsEmpty());
  EXPECT_EQ(state("io").state(), "failed");
  supervisor_.restart("io");
  EXPECT_THAT(turn(), ElementsAre("spawn io"));
}

TEST_F(SupervisorTest, one_that_answers_no_calls_is_well_while_it_runs) {
  Planned heads = role("heads", "", false);
  heads.mute = true;
  supervisor_.want({role("io", "", true), heads}, now_);
  turn();
  answer("io");
  turn();
  EXPECT_EQ(state("heads").state(), "healthy");
  EXPECT_TRUE(supervisor_.settled());
  now_ += 3600s;
  answer("io");
  EXPECT_THAT(turn(), IsEmpty());
}

// What starting it anew each time comes to, as the backoff has it.
TEST_F(SupervisorTest, a_role_that_dies_at_once_fails_after_ten_times_and_is_tried_again_later) {
  run_both();
  const Duration began = now_;
  while (state("agent.a").state() != "failed" && now_ - began < 10min) {
    die("agent.a", 11);
    for (int i = 0; i < 200 && state("agent.a").state() == "backoff"; ++i) {
      now_ += 100ms;
      answer("io");
      turn();
    }
  }
  EXPECT_EQ(state("agent.a").state(), "failed");
  EXPECT_GT(now_ - began, 10s);
  EXPECT_LT(now_ - began, 60s);
  EXPECT_EQ(state("agent.a").restarts(), 11U);
  EXPECT_EQ(state("agent.a").reason(), "died 11 times within 60 s, last by signal 11; tried again after 300 s");
  EXPECT_TRUE(supervisor_.settled()) << "nobody waits for it";
  const Duration failed = now_;
  std::vector<std::string> done;
  while (done.empty() && now_ - failed < 10min) {
    now_ += 1s;
    answer("io");
    done = turn();
  }
  EXPECT_THAT(done, ElementsAre("spawn agent.a"));
  EXPECT_EQ(now_ - failed, 300s);
  answer("agent.a");
  EXPECT_EQ(state("agent.a").state(), "healthy");
}

TEST_F(SupervisorTest, one_that_is_killed_now_and_then_never_fails) {
  run_both();
  for (int kill = 0; kill < 100; ++kill) {
    die("agent.a");
    for (int second = 0; second < 12; ++second) {
      now_ += 1s;
      answer("io");
      turn();
      answer("agent.a");
    }
    ASSERT_EQ(state("agent.a").state(), "healthy") << kill;
  }
}

TEST_F(SupervisorTest, a_person_may_start_what_has_failed_at_once) {
  supervisor_.want({role("io", "", true), role("agent.a", "io", false), role("agent.a@1.2.0", "io", false),
                    role("agent.ab", "io", false)},
                   now_);
  run_both();
  for (const char* name : {"agent.a", "agent.a@1.2.0", "agent.ab"}) die(name, 0, 2);
  supervisor_.try_again("a");
  EXPECT_THAT(turn(), ElementsAre("spawn agent.a", "spawn agent.a@1.2.0"));
  EXPECT_EQ(state("agent.ab").state(), "failed") << "another agent's";
}

TEST_F(SupervisorTest, io_that_dies_again_and_again_ends_the_site) {
  run_both();
  std::vector<std::string> done;
  for (int death = 0; death < 11; ++death) {
    EXPECT_THAT(done, testing::Each("spawn io"));
    die("io", 6);
    done.clear();
    for (int i = 0; i < 200 && done.empty(); ++i) {
      answer("agent.a");
      done = turn();
      if (done.empty()) now_ += 100ms;
    }
  }
  EXPECT_THAT(done, ElementsAre("give up on io"));
  EXPECT_EQ(state("io").state(), "failed");
}

}  // namespace
}  // namespace rltune::coredinator
