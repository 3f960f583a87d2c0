// The control cycle of one site: samples, proposals, time and people's requests in; guarded writes, decision
// records and events out. Every write to the plant happens here, and every one has passed the guard.
//
// Threads: one ControlLoop belongs to one thread; it owns none.
// Time:    from proposal to write nothing waits but the write itself; records are made after it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/config/site.hpp"
#include "rltune/guard/guard.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/io/fallback_controller.hpp"
#include "rltune/io/instance_table.hpp"
#include "rltune/io/latency.hpp"
#include "rltune/io/lockstep_barrier.hpp"
#include "rltune/plant/plant_link.hpp"
#include "rltune/v1/control.pb.h"

namespace rltune::io {

// Where events go: the bus in the role, a list in tests.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void samples(const v1::SampleBatch& batch) noexcept = 0;
  virtual void decision(const v1::DecisionEvent& event) noexcept = 0;
};

class LoopMetrics;

class ControlLoop {
 public:
  // Everything outlives the loop. `fallbacks`: one an agent, null where the fallback is to hold.
  struct Parts {
    const config::Site& site;
    plant::PlantLink& link;
    guard::Guard& guard;
    historian::Historian& historian;
    historian::DecisionLog& decisions;
    EventSink& events;
    const Clock& clock;
    std::span<const std::unique_ptr<FallbackController>> fallbacks;
    LoopMetrics* metrics = nullptr;  // counted there as well, where it is given
  };
  explicit ControlLoop(const Parts& parts);

  // Takes what the link delivered: stores it, publishes it, opens a lockstep cycle when it completes one.
  void on_samples(std::span<const Sample> samples);
  // The site's rules, or how long it waits for an agent, are others from now on; its tags, set-points and agents are
  // the same.
  void rules_changed();
  // Heartbeats, watchdogs, interlocks between decisions, lockstep time-outs. Call it at least every 20 ms.
  void tick();

  // Bus calls. Errors: not_found (agent, tag), denied (mode, validation), invalid_argument.
  Result<> attach(const v1::AttachRequest& request, v1::AttachAnswer& answer);
  Result<> propose(const v1::Proposal& proposal, v1::DecisionEvent& event);
  Result<> alive(const v1::AliveRequest& request);
  // Which instance's proposals are written. Errors: not_found; denied (an epoch that is over).
  Result<> activate(const v1::ActivateRequest& request, v1::ActivateAnswer& answer);
  Result<> instances(const v1::InstancesRequest& request, v1::InstancesAnswer& answer);
  Result<> set_mode(const v1::ModeRequest& request, v1::ModeAnswer& answer);
  Result<> write(const v1::WriteRequest& request, v1::WriteAnswer& answer);
  void status(v1::IoStatusAnswer& answer) const;
  // What is wrong with the loop or its stores; empty when well.
  std::string trouble() const { return trouble_.empty() ? parts_.historian.status().trouble : trouble_; }
  bool every_agent_decides() const noexcept;

 private:
  struct AgentState {
    std::vector<std::size_t> outputs;   // guard outputs it owns, in its own order
    std::vector<std::size_t> rewarded;  // tags that its reward and costs name, where it learns
    Duration timeout{};                 // wall time without a proposal after which it is lost
    Duration period{};
    Duration last_proposal{};  // steady
    Duration last_fallback{};  // steady: of the last decision made without it
    InstanceTable instances;   // of its versions; one of them is active
    std::string in_charge;     // the instance that decided last
    bool lost = false;
    bool proposed = false;  // in the open lockstep cycle
    bool beat = false;      // proposed since the last agent_alive heartbeat
  };

  // What one decision was made of; the record is built of it after the write.
  struct Cycle {
    std::string origin;
    std::string user, reason;                // of a write by hand
    std::string agent;                       // id
    std::span<const std::size_t> outputs;    // guard outputs it decides
    const v1::Proposal* proposal = nullptr;  // null: nobody proposed
    std::uint32_t extra_reasons = 0;         // that io knows and the guard does not
    Duration received{};                     // steady: when what opened the cycle reached us
    Duration verdict{}, sample_to_write{}, write{};
    Duration judged_at{}, written_at{};  // steady
  };

  TimePoint site_now() const noexcept;
  Result<std::size_t> find_agent(const std::string& id) const;
  void keep_latest(const Sample& sample) noexcept;
  void publish(std::span<const Sample> samples, bool complete);
  void fill_batch(v1::SampleBatch& batch, std::span<const Sample> samples) const;
  guard::GuardInput guard_input(std::size_t agent, bool interlocks_only = false) const noexcept;
  bool may_explore(std::size_t agent, const v1::Proposal& proposal) const noexcept;
  void find_rules();
  void note_proposal(const v1::Proposal& proposal, const AgentState& agent, InstanceTable::Instance& instance);
  bool outside_rules(const v1::Proposal& proposal, const AgentState& agent,
                     const InstanceTable::Instance& instance) const;
  void take_proposal(const v1::Proposal& proposal, AgentState& agent);
  void record_shadow(const v1::Proposal& proposal, std::size_t agent, const InstanceTable::Instance& instance,
                     v1::DecisionEvent& event);
  void judge(std::size_t agent, Cycle& cycle);
  void apply(Cycle& cycle);
  void record(const Cycle& cycle, v1::DecisionEvent& event);
  void count(const Cycle& cycle, TimePoint wall);
  static void credit(AgentState& agent, const Cycle& cycle, double earned);
  void trace_steps(const Cycle& cycle, const v1::DecisionEvent& event) const noexcept;
  historian::Decision make_record(const Cycle& cycle, const v1::DecisionEvent& event) const;
  void note_set_point(std::size_t output, double value);
  void without_agent(std::size_t agent);
  void watch_agents();
  void supervise();
  void write_heartbeats();
  void open_cycle();
  void close_cycle_when_done();
  bool knows_the_plant();
  void decide_anew();
  void resume_cycle();
  void advance_plant();

  Parts parts_;
  std::vector<std::size_t> output_tags_;   // tag of each guard output
  std::vector<std::size_t> output_rules_;  // its rule among the site's
  std::vector<std::size_t> all_outputs_;
  std::vector<std::size_t> element_offset_;  // first element of each tag
  std::vector<Sample> latest_;               // by tag, element 0
  std::vector<Sample> latest_elements_;      // by element
  std::vector<AgentState> agents_;
  std::vector<guard::OutputProposal> proposals_, fallback_;
  std::vector<guard::OutputVerdict> verdicts_;
  std::vector<std::uint32_t> write_tags_;
  std::vector<double> write_values_;
  std::vector<std::size_t> write_outputs_;
  std::vector<plant::WriteOutcome> outcomes_;         // by place in write_tags_
  std::vector<plant::WriteOutcome> output_outcomes_;  // by guard output, of the last decision
  std::vector<char> output_written_;

  LockstepBarrier barrier_;
  bool cycle_open_ = false;
  bool advance_accepted_ = false;
  std::uint64_t cycle_reconnects_ = 0, advance_reconnects_ = 0;
  Duration cycle_opened_{}, last_advance_{};
  std::optional<Duration> unknown_since_;  // steady: since when a plant that is back has not told everything
  Duration batch_received_{};              // steady: first sample of the batch in hand

  Duration last_heartbeat_{}, last_supervision_{};
  std::uint64_t guard_beats_ = 0, agent_beats_ = 0;
  std::uint64_t sequence_ = 0, samples_ = 0, decisions_ = 0;
  std::map<std::string, std::uint64_t> verdict_counts_;
  LatencyHistogram sample_to_write_, proposal_time_, verdict_time_, write_time_;
  std::string trouble_;
};

}  // namespace rltune::io
