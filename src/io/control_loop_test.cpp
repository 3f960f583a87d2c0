#include "rltune/io/control_loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "fake_link.hpp"
#include "loop_metrics.hpp"
#include "manual_clock.hpp"
#include "rltune/base/trace.hpp"

namespace rltune::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum TagIndex : std::uint32_t { temperature, heating, guard_alive, agent_alive, clock_step, clock_advance };

config::Site make_site(config::ClockKind clock) {
  config::Site site;
  site.name = "test";
  site.clock = clock;
  site.plant_clock = {.step = "clock_step", .advance = "clock_advance"};
  const auto tag = [](const char* name, config::TagRole role) {
    config::Tag made;
    made.name = name;
    made.role = role;
    made.stale_after_s = 1e6;
    return made;
  };
  site.tags = {tag("temperature", config::TagRole::measurement), tag("heating", config::TagRole::setpoint),
               tag("guard_alive", config::TagRole::heartbeat),   tag("agent_alive", config::TagRole::heartbeat),
               tag("clock_step", config::TagRole::clock),        tag("clock_advance", config::TagRole::clock)};
  config::Agent agent;
  agent.id = "climate";
  agent.period_s = 1.0;
  agent.outputs = {"heating"};
  agent.learning.enabled = true;
  agent.learning.reward = "temperature - previous(temperature)";
  site.agents = {agent};
  site.guard.mode = "automatic";
  site.guard.outputs = {{.tag = "heating", .limits = {0.0, 150.0}, .step_max = 15.0}};
  site.guard.interlocks = {{.name = "too hot", .require = "temperature < 38", .outputs = {}}};
  site.guard.guard_alive = "guard_alive";
  site.guard.agent_alive = "agent_alive";
  return site;
}

class ListedEvents final : public EventSink {
 public:
  void samples(const v1::SampleBatch& batch) noexcept override { batches.push_back(batch); }
  void decision(const v1::DecisionEvent& event) noexcept override { decisions.push_back(event); }
  std::vector<v1::SampleBatch> batches;
  std::vector<v1::DecisionEvent> decisions;
};

class ControlLoopTest : public testing::Test {
 protected:
  void start(config::ClockKind clock = config::ClockKind::wall, const std::string& mode = "automatic",
             LoopMetrics* metrics = nullptr) {
    site = make_site(clock);
    if (change_site) change_site(site);
    folder = std::filesystem::temp_directory_path() / ("rltune_io_test_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::vector<std::string> names;
    std::vector<plant::TagBinding> bindings;
    for (const config::Tag& tag : site.tags) {
      names.push_back(tag.name);
      bindings.push_back({.name = tag.name, .writable = tag.role != config::TagRole::measurement});
    }
    historian.emplace(historian::Historian::open({.folder = folder}, names).value());
    log.emplace(historian::DecisionLog::open(folder / "decisions").value());
    guard.emplace(guard::Guard::create(site).value());
    ASSERT_TRUE(link.open(bindings));
    loop.emplace(ControlLoop::Parts{.site = site,
                                    .link = link,
                                    .guard = *guard,
                                    .historian = *historian,
                                    .decisions = *log,
                                    .events = events,
                                    .clock = clock_,
                                    .fallbacks = fallbacks,
                                    .metrics = metrics});
    v1::ModeRequest request;
    request.set_mode(mode);
    v1::ModeAnswer answer;
    ASSERT_TRUE(loop->set_mode(request, answer));
    deliver(temperature, 20.0);
    deliver(heating, 50.0);
  }
  void TearDown() override {
    log.reset();
    historian.reset();
    std::filesystem::remove_all(folder);
  }

  void deliver(std::uint32_t tag, double value, Quality quality = Quality::good) {
    const Sample sample{
        .tag = tag, .value = value, .source_time = clock_.now(), .received_time = clock_.now(), .quality = quality};
    loop->on_samples({&sample, 1});
  }
  void attach(bool validated = true) {
    v1::AttachRequest request;
    request.set_agent("climate");
    request.set_validated(validated);
    v1::AttachAnswer answer;
    ASSERT_TRUE(loop->attach(request, answer));
  }
  Result<v1::DecisionEvent> propose(double value, controllers::Outcome outcome = controllers::Outcome::ok) {
    v1::Proposal proposal;
    proposal.set_agent("climate");
    proposal.add_values(value);
    proposal.set_outcome(static_cast<std::uint32_t>(outcome));
    v1::DecisionEvent event;
    if (auto done = loop->propose(proposal, event); !done) return std::unexpected(done.error());
    return event;
  }
  // Values written to one tag, in order.
  std::vector<double> written(std::uint32_t tag) const {
    std::vector<double> values;
    for (const auto& write : link.writes())
      if (write.tag == tag) values.push_back(write.value);
    return values;
  }

  std::function<void(config::Site&)> change_site;
  config::Site site;
  std::filesystem::path folder;
  ManualClock clock_{TimePoint(std::chrono::hours(24))};
  plant::FakeLink link;
  ListedEvents events;
  std::optional<historian::Historian> historian;
  std::optional<historian::DecisionLog> log;
  std::optional<guard::Guard> guard;
  std::vector<std::unique_ptr<FallbackController>> fallbacks = std::vector<std::unique_ptr<FallbackController>>(1);
  std::optional<ControlLoop> loop;
};

TEST_F(ControlLoopTest, a_clock_that_is_set_back_repeats_and_reorders_no_write) {
  start();
  attach();
  ASSERT_TRUE(propose(60.0));
  clock_.advance(seconds(1));
  clock_.jump(-std::chrono::hours(1));
  ASSERT_TRUE(propose(65.0));
  // An interlock that trips has to be seen to have acted, or it would act again and again.
  deliver(temperature, 40.0);
  Sample hot{.tag = temperature,
             .value = 40.0,
             .source_time = clock_.now() + std::chrono::hours(2),
             .received_time = clock_.now(),
             .quality = Quality::good};
  loop->on_samples({&hot, 1});
  for (int i = 0; i < 20; ++i) {
    clock_.advance(milliseconds(100));
    loop->tick();
  }
  EXPECT_EQ(written(heating), (std::vector<double>{60.0, 65.0, 0.0}));
  // Forward again: nothing that was written before is written anew.
  clock_.jump(std::chrono::hours(5));
  loop->tick();
  EXPECT_EQ(written(heating).size(), 3U);
}

TEST_F(ControlLoopTest, accepted_proposal_is_written_and_recorded) {
  start();
  attach();
  const auto event = propose(60.0);
  ASSERT_TRUE(event);
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
  EXPECT_TRUE(event->learnable());
  ASSERT_TRUE(log->flush());
  const auto records =
      historian::read_decisions(folder / "decisions", clock_.now() - seconds(1), clock_.now() + seconds(1), 10);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().origin, "policy");
  EXPECT_EQ(records->front().outputs.at(0).applied, 60.0);
  EXPECT_TRUE(records->front().outputs.at(0).verified);
}

TEST_F(ControlLoopTest, each_output_has_its_own_rules_in_whatever_order_they_are_listed) {
  change_site = [](config::Site& changed) {
    changed.tags.push_back({.name = "vent", .role = config::TagRole::setpoint});
    changed.agents[0].outputs = {"heating", "vent"};
    changed.guard.outputs.insert(changed.guard.outputs.begin(), {.tag = "vent", .limits = {0.0, 1.0}});
  };
  start();
  deliver(6, 0.5);
  attach();
  v1::Proposal proposal;
  proposal.set_agent("climate");
  proposal.add_values(60.0);
  proposal.add_values(7.0);
  v1::DecisionEvent event;
  ASSERT_TRUE(loop->propose(proposal, event));
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
  EXPECT_EQ(written(6), std::vector<double>{1.0});
  EXPECT_EQ(event.outputs(0).tag(), "heating");
  EXPECT_EQ(event.outputs(1).tag(), "vent");
}

TEST_F(ControlLoopTest, an_agent_that_explores_without_the_sites_leave_is_held) {
  change_site = [](config::Site& changed) { changed.agents[0].learning.explore_within = {{"heating", {40.0, 62.0}}}; };
  const auto explore = [this](double value) {
    v1::Proposal proposal;
    proposal.set_agent("climate");
    proposal.add_values(value);
    proposal.add_explored(0.5);
    v1::DecisionEvent event;
    EXPECT_TRUE(loop->propose(proposal, event));
    return event;
  };
  start();
  attach();
  const v1::DecisionEvent refused = explore(60.0);
  EXPECT_TRUE(written(heating).empty()) << "another of its group may be exploring";
  EXPECT_NE(refused.outputs(0).reasons() & static_cast<std::uint32_t>(guard::Reason::policy_fault), 0U);
  EXPECT_FALSE(refused.learnable());
  site.agents[0].learning.explore = true;
  explore(60.0);
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
  explore(63.0);
  EXPECT_EQ(written(heating), std::vector<double>{60.0}) << "outside of what it may try";
}

TEST_F(ControlLoopTest, a_record_has_all_that_learning_needs_of_the_event) {
  start();
  attach();
  const auto first = propose(60.0), second = propose(61.0);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->sequence(), first->sequence() + 1);
  ASSERT_TRUE(log->flush());
  const auto records = historian::newest_decisions(folder / "decisions", TimePoint{}, 10);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);
  const historian::Decision& record = records->at(1);
  EXPECT_TRUE(record.learnable);
  EXPECT_EQ(record.wall_time.time_since_epoch().count(), second->wall_unix_ns());
  ASSERT_EQ(record.seen.size(), 1U) << "the reward's tag, and no other";
  EXPECT_EQ(record.seen[0].tag, "temperature");
  EXPECT_EQ(record.seen[0].value, 20.0);
}

TEST_F(ControlLoopTest, a_step_beyond_the_limit_is_clamped_before_it_is_written) {
  start();
  attach();
  const auto event = propose(150.0);
  ASSERT_TRUE(event);
  EXPECT_EQ(written(heating), std::vector<double>{65.0});
  EXPECT_EQ(event->outputs(0).action(), static_cast<std::uint32_t>(guard::Action::clamped));
}

TEST_F(ControlLoopTest, shadow_mode_decides_and_writes_nothing) {
  start(config::ClockKind::wall, "shadow");
  attach();
  const auto event = propose(60.0);
  ASSERT_TRUE(event);
  EXPECT_TRUE(written(heating).empty());
  EXPECT_FALSE(event->learnable());
}

TEST_F(ControlLoopTest, nothing_that_is_not_finite_is_written) {
  start();
  attach();
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) ASSERT_TRUE(propose(value));
  EXPECT_TRUE(written(heating).empty());
}

TEST_F(ControlLoopTest, a_policy_that_failed_its_validation_acts_on_nothing_in_automatic) {
  start();
  attach(false);
  ASSERT_TRUE(propose(60.0));
  EXPECT_TRUE(written(heating).empty());
}

TEST_F(ControlLoopTest, automatic_is_refused_while_a_policy_lacks_its_validation) {
  start(config::ClockKind::wall, "manual");
  attach(false);
  v1::ModeRequest request;
  request.set_mode("auto");
  v1::ModeAnswer answer;
  ASSERT_TRUE(loop->set_mode(request, answer));
  EXPECT_EQ(answer.mode(), "manual");
  EXPECT_NE(answer.refused().find("climate"), std::string::npos);
}

TEST_F(ControlLoopTest, a_person_writes_in_manual_mode_alone) {
  start(config::ClockKind::wall, "manual");
  v1::WriteRequest request;
  request.set_tag("heating");
  request.set_value(55.0);
  request.set_user("anna");
  request.set_reason("frost " + std::string(100'000, '.'));
  v1::WriteAnswer answer;
  ASSERT_TRUE(loop->write(request, answer));
  EXPECT_TRUE(answer.verified());
  EXPECT_EQ(written(heating), std::vector<double>{55.0});
  ASSERT_TRUE(log->flush());
  const auto record = historian::read_decisions(folder / "decisions", TimePoint::min(), TimePoint::max(), 10);
  ASSERT_TRUE(record);
  ASSERT_EQ(record->size(), 1U);
  EXPECT_EQ(record->front().user, "anna");
  EXPECT_EQ(record->front().reason, "frost " + std::string(494, '.'));

  v1::ModeRequest mode;
  mode.set_mode("automatic");
  v1::ModeAnswer mode_answer;
  ASSERT_TRUE(loop->set_mode(mode, mode_answer));
  const auto refused = loop->write(request, answer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
}

TEST_F(ControlLoopTest, an_interlock_acts_when_it_trips_not_at_the_next_decision) {
  start();
  attach();
  ASSERT_TRUE(propose(60.0));
  deliver(temperature, 39.0);
  clock_.advance(milliseconds(200));
  loop->tick();
  ASSERT_GE(written(heating).size(), 2U);
  EXPECT_EQ(written(heating).back(), 0.0);
}

TEST_F(ControlLoopTest, a_lost_agent_is_noticed_and_recorded) {
  start();
  attach();
  ASSERT_TRUE(propose(60.0));
  clock_.advance(seconds(3));
  loop->tick();
  ASSERT_FALSE(events.decisions.empty());
  EXPECT_EQ(events.decisions.back().origin(), "fallback");
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
  v1::IoStatusAnswer status;
  loop->status(status);
  EXPECT_EQ(status.agent_state(), "fallback");
  ASSERT_TRUE(propose(61.0));
  loop->status(status);
  EXPECT_EQ(status.agent_state(), "alive");
}

TEST_F(ControlLoopTest, whoever_takes_over_from_a_lost_agent_has_acted_when_the_limit_is_reached) {
  start();
  attach();
  ASSERT_TRUE(propose(60.0));
  const std::size_t decided = events.decisions.size();
  clock_.advance(milliseconds(2400));  // of two periods and half a second
  loop->tick();
  EXPECT_EQ(events.decisions.size(), decided);
  clock_.advance(milliseconds(60));
  loop->tick();
  EXPECT_EQ(events.decisions.size(), decided + 1);
}

TEST_F(ControlLoopTest, the_agents_heartbeat_stops_with_its_decisions) {
  start();
  attach();
  ASSERT_TRUE(propose(60.0));
  for (int i = 0; i < 3; ++i) {
    clock_.advance(seconds(1));
    loop->tick();
  }
  EXPECT_EQ(written(guard_alive).size(), 3U);
  EXPECT_EQ(written(agent_alive).size(), 1U);
}

TEST_F(ControlLoopTest, lockstep_writes_set_points_before_it_advances_the_plant) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  ASSERT_FALSE(events.batches.empty());
  EXPECT_TRUE(events.batches.back().complete());
  ASSERT_TRUE(propose(60.0));
  EXPECT_EQ(written(clock_advance), std::vector<double>{1.0});
  EXPECT_EQ(link.writes().front().tag, heating);
  EXPECT_FALSE(propose(61.0)) << "one decision a step";
}

TEST_F(ControlLoopTest, lockstep_goes_on_without_the_agent_after_its_time) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  loop->tick();
  EXPECT_TRUE(written(clock_advance).empty());
  clock_.advance(milliseconds(1100));
  loop->tick();
  EXPECT_EQ(written(clock_advance), std::vector<double>{1.0});
  EXPECT_TRUE(written(heating).empty());
}

TEST_F(ControlLoopTest, lockstep_waits_longer_for_an_agent_that_does_not_know_of_us_yet) {
  start(config::ClockKind::plant);
  deliver(clock_step, 0.0);
  const auto early = propose(60.0);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::disconnected) << "it must attach: whether its policy was validated is unknown";
  clock_.advance(milliseconds(4000));
  loop->tick();
  attach();
  ASSERT_TRUE(propose(60.0));
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
}

TEST_F(ControlLoopTest, lockstep_does_not_wait_for_ever_for_an_agent_that_never_attaches) {
  start(config::ClockKind::plant);
  deliver(clock_step, 0.0);
  clock_.advance(milliseconds(5100));
  loop->tick();
  EXPECT_EQ(written(clock_advance), std::vector<double>{1.0});
  EXPECT_TRUE(written(heating).empty());
}

TEST_F(ControlLoopTest, a_step_whose_writes_were_lost_with_the_link_is_decided_anew) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  link.set_state(plant::LinkState::disconnected);
  ASSERT_TRUE(propose(60.0));
  EXPECT_TRUE(written(heating).empty());
  link.restore();
  loop->tick();
  EXPECT_TRUE(written(clock_advance).empty()) << "the plant must not go on with set-points that it never got";
  ASSERT_TRUE(propose(60.0));
  EXPECT_EQ(written(heating), std::vector<double>{60.0});
  EXPECT_EQ(written(clock_advance), std::vector<double>{1.0});
}

TEST_F(ControlLoopTest, a_plant_that_lost_its_step_gets_a_new_decision) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  ASSERT_TRUE(propose(60.0));
  link.lose(clock_.now());
  link.restore();
  clock_.advance(milliseconds(600));
  loop->tick();
  EXPECT_TRUE(events.batches.back().complete());
  EXPECT_TRUE(propose(60.0));
}

// An agent that attaches meanwhile shall not decide the step from what an absent plant last told.
TEST_F(ControlLoopTest, a_step_is_not_open_to_who_attaches_while_the_plant_is_away) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  const auto open_to_attaching = [this] {
    v1::AttachRequest request;
    request.set_agent("climate");
    request.set_validated(true);
    v1::AttachAnswer answer;
    EXPECT_TRUE(loop->attach(request, answer));
    return answer.latest().complete();
  };
  EXPECT_TRUE(open_to_attaching());
  link.set_state(plant::LinkState::disconnected);
  for (const std::uint32_t tag : {temperature, heating}) deliver(tag, std::nan(""), Quality::bad);
  loop->tick();
  EXPECT_FALSE(open_to_attaching());
  link.restore();
  EXPECT_FALSE(open_to_attaching()) << "its values are not known yet";
  deliver(temperature, 20.0);
  deliver(heating, 60.0);
  loop->tick();
  EXPECT_TRUE(open_to_attaching());
}

// The connection is back before the values are.
TEST_F(ControlLoopTest, a_plant_that_is_back_is_decided_on_when_its_values_are_known) {
  start(config::ClockKind::plant);
  attach();
  deliver(clock_step, 0.0);
  ASSERT_TRUE(propose(60.0));
  const auto outage = [this] {
    link.set_state(plant::LinkState::disconnected);
    for (const std::uint32_t tag : {temperature, heating}) deliver(tag, std::nan(""), Quality::bad);
    loop->tick();
    link.restore();
    clock_.advance(milliseconds(600));
  };
  outage();
  std::size_t before = events.batches.size();
  loop->tick();
  clock_.advance(milliseconds(100));
  loop->tick();
  EXPECT_EQ(events.batches.size(), before) << "nothing is known yet";
  deliver(temperature, 20.0);
  deliver(heating, 60.0);
  loop->tick();
  EXPECT_TRUE(events.batches.back().complete());
  ASSERT_TRUE(propose(65.0));
  EXPECT_EQ(written(heating), (std::vector<double>{60.0, 65.0}));

  outage();
  deliver(heating, 65.0);
  before = events.batches.size();
  loop->tick();
  EXPECT_EQ(events.batches.size(), before);
  clock_.advance(milliseconds(1000));
  loop->tick();
  EXPECT_GT(events.batches.size(), before) << "a sensor that stays bad does not stop the plant for ever";
  EXPECT_TRUE(events.batches.back().complete());
}

// The period that ends belongs to the version that decided it, also when its successor decides the next one.
TEST_F(ControlLoopTest, what_a_version_earns_is_credited_to_it) {
  metrics::Registry registry("io");
  LoopMetrics metrics(registry, make_site(config::ClockKind::wall));
  start(config::ClockKind::wall, "automatic", &metrics);
  const auto attach_as = [&](const std::string& instance) {
    v1::AttachRequest request;
    request.set_agent("climate");
    request.set_instance(instance);
    request.set_validated(true);
    v1::AttachAnswer answer;
    ASSERT_TRUE(loop->attach(request, answer));
  };
  const auto decide_as = [&](const std::string& instance, double next_temperature) {
    v1::Proposal proposal;
    proposal.set_agent("climate");
    proposal.set_instance(instance);
    proposal.add_values(50.0);
    v1::DecisionEvent event;
    ASSERT_TRUE(loop->propose(proposal, event));
    ASSERT_EQ(event.origin(), "policy");
    deliver(temperature, next_temperature);  // its reward is the rise of the temperature
  };
  attach_as("agent.climate");
  attach_as("agent.climate@2.0.0");
  double degrees = 20.0;
  for (int i = 0; i < 10; ++i) decide_as("agent.climate", degrees += 1.0);
  v1::ActivateRequest request;
  request.set_agent("climate");
  request.set_instance("agent.climate@2.0.0");
  request.set_epoch(1);
  v1::ActivateAnswer answer;
  ASSERT_TRUE(loop->activate(request, answer));
  for (int i = 0; i < 11; ++i) decide_as("agent.climate@2.0.0", degrees += 3.0);
  v1::InstancesAnswer seen;
  ASSERT_TRUE(loop->instances({}, seen));
  ASSERT_EQ(seen.instances_size(), 2);
  EXPECT_EQ(seen.instances(0).reward_batches(), 1U);
  EXPECT_DOUBLE_EQ(seen.instances(0).reward_mean(), 1.0);
  EXPECT_EQ(seen.instances(1).reward_batches(), 1U);
  EXPECT_DOUBLE_EQ(seen.instances(1).reward_mean(), 3.0);
}

// Two versions beside each other: what one wants is written, what the other wants is on record.
TEST_F(ControlLoopTest, one_instance_of_an_agent_is_written_and_the_others_are_on_record) {
  start();
  const auto attach_as = [&](const std::string& instance) {
    v1::AttachRequest request;
    request.set_agent("climate");
    request.set_instance(instance);
    request.set_validated(true);
    v1::AttachAnswer answer;
    EXPECT_TRUE(loop->attach(request, answer));
    return answer.active();
  };
  const auto propose_as = [&](const std::string& instance, double value) {
    v1::Proposal proposal;
    proposal.set_agent("climate");
    proposal.set_instance(instance);
    proposal.add_values(value);
    v1::DecisionEvent event;
    EXPECT_TRUE(loop->propose(proposal, event));
    return event.origin();
  };
  const auto activate = [&](const std::string& instance, std::uint64_t epoch) {
    v1::ActivateRequest request;
    request.set_agent("climate");
    request.set_instance(instance);
    request.set_epoch(epoch);
    v1::ActivateAnswer answer;
    return loop->activate(request, answer).has_value();
  };
  EXPECT_TRUE(attach_as("agent.climate"));
  EXPECT_FALSE(attach_as("agent.climate@2.0.0"));
  EXPECT_EQ(propose_as("agent.climate", 55.0), "policy");
  EXPECT_EQ(propose_as("agent.climate@2.0.0", 500.0), "shadow");
  EXPECT_EQ(written(heating), std::vector<double>{55.0});
  EXPECT_EQ(events.decisions.size(), 1U) << "a learner sees what was done, not what would have been";

  ASSERT_TRUE(activate("agent.climate@2.0.0", 1));
  EXPECT_EQ(propose_as("agent.climate", 40.0), "shadow");
  EXPECT_EQ(propose_as("agent.climate@2.0.0", 60.0), "policy");
  EXPECT_EQ(written(heating), (std::vector<double>{55.0, 60.0}));
  EXPECT_FALSE(activate("agent.climate", 0)) << "a word from before the switch";
  EXPECT_EQ(propose_as("agent.climate@2.0.0", 65.0), "policy");

  v1::InstancesAnswer seen;
  ASSERT_TRUE(loop->instances({}, seen));
  ASSERT_EQ(seen.instances_size(), 2);
  EXPECT_EQ(seen.instances(1).instance(), "agent.climate@2.0.0");
  EXPECT_TRUE(seen.instances(1).active() && !seen.instances(0).active());
  EXPECT_EQ(seen.instances(1).proposals(), 3U);
  EXPECT_EQ(seen.instances(1).interventions(), 2U) << "500 is outside the limits, and 60 is far from it";
  EXPECT_EQ(seen.instances(0).interventions(), 0U);

  ASSERT_TRUE(log->flush());
  std::vector<std::string> shadows;
  const auto records = historian::read_decisions(folder / "decisions", TimePoint::min(), TimePoint::max(), 100);
  ASSERT_TRUE(records);
  for (const auto& decision : *records)
    if (decision.origin == "shadow") shadows.push_back(decision.agent);
  EXPECT_EQ(shadows, (std::vector<std::string>{"climate@2.0.0", "climate"}));
}

TEST_F(ControlLoopTest, the_steps_of_a_traced_decision_are_parts_of_its_trace) {
  start();
  attach();
  trace::start({.sample_ratio = 0.0});
  std::vector<trace::Record> spans(16);
  ASSERT_TRUE(propose(55.0));
  EXPECT_EQ(trace::take(spans), 0U) << "nobody traces this one";
  const trace::Context caller = trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const auto event = [&] {
    const trace::Scope within(caller);
    return propose(60.0);
  }();
  ASSERT_TRUE(event);
  spans.resize(trace::take(spans));
  trace::stop();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name.view(), "verdict");
  EXPECT_EQ(spans[1].name.view(), "write");
  for (const trace::Record& span : spans) {
    EXPECT_EQ(span.context.trace_id, caller.trace_id);
    EXPECT_EQ(span.parent, caller.span_id);
    EXPECT_FALSE(span.failed);
  }
  EXPECT_EQ(spans[0].attributes[2].text.view(), event->id());
}

TEST_F(ControlLoopTest, a_fallbacks_decision_is_a_trace_of_its_own) {
  start();
  attach();
  trace::start({.sample_ratio = 1.0});
  clock_.advance(seconds(30));
  loop->tick();
  std::vector<trace::Record> spans(16);
  spans.resize(trace::take(spans));
  trace::stop();
  ASSERT_FALSE(spans.empty());
  EXPECT_EQ(spans.front().name.view(), "verdict");
  EXPECT_EQ(spans.front().attributes[1].text.view(), "fallback");
  EXPECT_EQ(spans.back().name.view(), "decision");
  EXPECT_EQ(spans.back().parent, trace::SpanId());
  EXPECT_EQ(spans.front().parent, spans.back().context.span_id);
}

}  // namespace
}  // namespace rltune::io
