#include "rltune/agent/agent_role.hpp"

#include <unistd.h>

#include <format>
#include <optional>

#include "activation_gate.hpp"
#include "agent_metrics.hpp"
#include "decision_schedule.hpp"
#include "explorer.hpp"
#include "policy_store.hpp"
#include "rltune/agent/decider.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/followed.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "weights_board.hpp"

namespace rltune::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kAttachTimeout = 500ms, kTurn = 100ms;
// io answers a proposal after the plant has confirmed the write.
constexpr auto kProposeTimeout = 3000ms;
// In lockstep a plant that says nothing for so long may mean that its last batch missed us: io is asked.
constexpr Duration kQuietFirst = 200ms, kQuietMax = 5s;
// A proposal waits for the plant's word on its write, attaching for io's.
constexpr Duration kSilenceMax = 5s + kProposeTimeout;
constexpr Duration kReportEvery = 1s;
// An io that was killed is back within 200 ms, and every wait here adds to it.
constexpr Duration kAttachWaitFirst = 20ms, kAttachWaitMax = 200ms;
constexpr std::uint32_t kAutomatic = 3;  // guard::Mode; docs/formats/decision-log.md numbers them

// Tags whose samples open a decision: what the plant says, not what we wrote.
std::vector<bool> opening_tags(const config::Site& site) {
  std::vector<bool> opens;
  for (const config::Tag& tag : site.tags)
    opens.push_back(tag.role == config::TagRole::measurement || tag.role == config::TagRole::exogenous);
  return opens;
}

class AgentRole {
 public:
  static Result<std::unique_ptr<AgentRole>> create(const AgentOptions& options);
  void run();

 private:
  AgentRole(const config::Site& site, const config::Agent& agent, std::string name, const policy::Artifact& artifact,
            Decider decider, const std::filesystem::path& run_folder)
      : site_(site),
        agent_(agent),
        name_(std::move(name)),
        artifact_(artifact),
        store_(PolicyStore::of(site)),
        decider_(std::move(decider)),
        lockstep_(site.clock == config::ClockKind::plant),
        opens_(opening_tags(site)),
        gate_(artifact.manifest.observation.size(), {.weight_change_max = agent.learning.weight_change_max}),
        schedule_(from_seconds(agent.period_s)),
        to_io_({.wait_first = kAttachWaitFirst,
                .wait_max = kAttachWaitMax,
                .seed = static_cast<std::uint64_t>(::getpid())}),
        operations_("agent." + name_, clock_, kSilenceMax),
        telemetry_({.folder = site.folder, .run_folder = run_folder, .site = site.name, .role = "agent." + name_},
                   operations_.registry),
        circuit_(operations_.registry, "io"),
        metrics_(operations_.registry, decider_.elements()),
        audit_({.folder = site.folder / site.storage.folder / "audit",
                .role = "agent." + name_,
                .keeping = {.age = config::kept_for(site.folder, &config::Retention::audit_days)}}) {}

  Result<> open(const std::string& run_folder);
  Result<> open_policy();
  Result<> open_board(const std::filesystem::path& run_folder);
  void consider_candidate();
  void activate(const Candidate& candidate, const nn::NetworkDescription& network);
  void attach();
  void take(const v1::SampleBatch& batch);
  void take_events();
  void decide_when_due();
  void decide(TimePoint now, std::int64_t received_steady_ns);
  void say_why(controllers::Outcome outcome);
  bool decided(TimePoint now) const;
  void fill_proposal(const Decision& decision, TimePoint now, Duration took);
  void propose(std::int64_t received_steady_ns);
  void lost(const Error& error);
  void catch_up();
  void beat();
  void answer_health(v1::HealthAnswer& answer) const;
  bool late() const;
  void report();
  milliseconds patience() const;

  config::Site site_;
  config::Agent agent_;
  const std::string name_;  // of this instance: the agent's id, or "climate@1.2.0"
  policy::Artifact artifact_;
  PolicyStore store_;
  Decider decider_;
  const bool lockstep_;
  const std::vector<bool> opens_;
  WallClock clock_;
  bus::Context context_;
  std::optional<bus::Client> io_, heart_;
  std::optional<bus::Subscriber> events_;
  std::optional<bus::Server> server_;

  std::string active_sha256_;
  ActivationGate gate_;
  std::optional<WeightsBoard> board_;  // where the site learns
  std::optional<Explorer> explorer_;   // where the site allows it
  v1::SampleBatch batch_;
  v1::Proposal proposal_;
  v1::DecisionEvent event_;
  std::string body_;
  std::vector<Sample> samples_;
  DecisionSchedule schedule_;

  std::uint32_t mode_ = 0;  // io's, as of its last answer
  bool attached_ = false;
  bool active_ = false;         // what this instance proposes is written, as of io's last answer
  std::uint64_t sequence_ = 0;  // of the newest batch, or of the state that attaching brought
  std::uint64_t streamed_ = 0;  // of the newest batch of the stream
  bool pending_ = false;        // samples wait that open a decision
  TimePoint pending_time_{};
  std::int64_t pending_received_ns_ = 0;
  Duration last_heard_{}, last_decided_{}, last_beat_{}, quiet_limit_ = kQuietFirst;
  std::uint64_t decisions_ = 0;
  controllers::Outcome outcome_ = controllers::Outcome::ok;  // of the last decision
  std::string trouble_ = "waiting for io";
  Breaker to_io_;  // before attaching
  metrics::Operations operations_;
  tracing::SiteTelemetry telemetry_;
  metrics::Circuit circuit_;
  AgentMetrics metrics_;
  audit::Recorder audit_;
  metrics::Counter& audit_removed_ =
      operations_.registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "audit"}});
  Duration reported_{};
};

Result<std::unique_ptr<AgentRole>> AgentRole::create(const AgentOptions& options) {
  auto site = config::load_site(options.site);
  if (!site) return std::unexpected(site.error());
  const auto agent = std::ranges::find(site->agents, options.agent, &config::Agent::id);
  if (agent == site->agents.end())
    return fail(Errc::not_found, std::format("{} has no agent '{}'", options.site.string(), options.agent));
  if (!options.artifact.empty()) agent->policy = options.artifact;
  // A version's artifact is coredinator's to judge; the site's own is all there is.
  auto artifact = options.artifact.empty() ? PolicyStore::of(*site).load(options.name(), site->folder / agent->policy)
                                           : policy::load_artifact(site->folder / agent->policy);
  if (!artifact) return std::unexpected(artifact.error());
  if (const policy::Validation& validation = artifact->manifest.validation;
      !validation.passed && site->guard.mode.starts_with("auto"))
    return fail(
        Errc::denied,
        std::format("the policy {} did not pass its validation ({}) and the site starts in automatic "
                    "mode; train it further, or start in shadow mode",
                    agent->policy.string(), validation.reasons.empty() ? "none was made" : validation.reasons.front()));
  auto decider = Decider::create(*site, *agent, *artifact);
  if (!decider) return std::unexpected(decider.error());
  std::unique_ptr<AgentRole> role(
      new AgentRole(*site, *agent, options.name(), *artifact, std::move(*decider), options.run_folder));
  if (auto done = role->open_policy(); !done) return std::unexpected(done.error());
  if (auto done = role->open_board(options.run_folder); !done) return std::unexpected(done.error());
  if (auto done = role->open(options.run_folder.string()); !done) return std::unexpected(done.error());
  return role;
}

// The artifact's weights, or those that learning on this site has made of them.
Result<> AgentRole::open_policy() {
  auto onnx = read_file(site_.folder / agent_.policy / "policy.onnx");
  if (!onnx) return std::unexpected(onnx.error());
  if (sha256(*onnx) == artifact_.sha256)  // else it is damaged, and what acts was stored before
    if (auto stored = store_.put(*onnx); !stored) return std::unexpected(stored.error());
  active_sha256_ = artifact_.sha256;
  const auto learnt = store_.active(name_, artifact_.sha256);
  if (!learnt || *learnt == active_sha256_) return {};
  auto network = store_.get(*learnt);
  Result<> activated = network ? decider_.activate(*network) : std::unexpected(network.error());
  if (!activated) {
    log::warning("the weights learnt on site cannot be used; acting by the artifact's",
                 {{"policy", *learnt}, {"reason", activated.error().message}});
    return store_.set_active(name_, artifact_.sha256, artifact_.sha256);
  }
  active_sha256_ = *learnt;
  log::info("acting by weights learnt on site", {{"policy", active_sha256_}, {"artifact", artifact_.sha256}});
  return {};
}

Result<> AgentRole::open(const std::string& run_folder) {
  auto server = bus::Server::bind(bus::call_endpoint(run_folder, "agent." + name_));
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  server_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "agent.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer_health(answer);
        return {};
      });
  bus::serve_log_level(*server_, "agent");
  if (site_.operations.endpoints) operations_.open();
  auto io = bus::Client::connect(bus::call_endpoint(run_folder, "io"));
  if (!io) return std::unexpected(io.error());
  io_.emplace(std::move(*io));
  auto heart = bus::Client::connect(bus::call_endpoint(run_folder, "io"));
  if (!heart) return std::unexpected(heart.error());
  heart_.emplace(std::move(*heart));
  auto events = bus::Subscriber::connect(context_, bus::event_endpoint(run_folder, "io"), "samples");
  if (!events) return std::unexpected(events.error());
  events_.emplace(std::move(*events));
  return {};
}

Result<> AgentRole::open_board(const std::filesystem::path& run_folder) {
  if (!agent_.learning.enabled) return {};
  if (agent_.learning.explore)
    explorer_.emplace(agent_, static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()));
  auto board = WeightsBoard::open(WeightsBoard::path_in(run_folder, name_));
  if (!board) return std::unexpected(board.error());
  board_.emplace(std::move(*board));
  board_->set_acting(active_sha256_);
  return {};
}

// Between decisions: what a learner published is looked at once.
void AgentRole::consider_candidate() {
  if (!board_) return;
  const auto candidate = board_->take();
  if (!candidate || candidate->sha256 == active_sha256_) return;
  auto network = gate_.examine(*candidate, decider_.active());
  if (!network) {
    metrics_.candidate_waits();
    log::info("candidate weights wait", {{"policy", candidate->sha256}, {"because", network.error().message}});
    return;
  }
  activate(*candidate, *network);
}

void AgentRole::activate(const Candidate& candidate, const nn::NetworkDescription& network) {
  // Durable first: a decision by weights that nobody can find again could not be replayed.
  auto stored = store_.put(candidate.onnx);
  if (stored) {
    if (auto noted = store_.set_active(name_, artifact_.sha256, candidate.sha256); !noted)
      stored = std::unexpected(noted.error());
  }
  Result<> done = stored ? decider_.activate(network) : std::unexpected(stored.error());
  if (!done)
    return log::error("candidate weights cannot act", {{"policy", candidate.sha256}, {"reason", done.error().message}});
  log::info("new weights act", {{"policy", candidate.sha256},
                                {"before", active_sha256_},
                                {"gain", std::format("{:.4g}", candidate.shadow.gain)},
                                {"gain_low", std::format("{:.4g}", candidate.shadow.gain_low)}});
  audit_.post({.action = "policy.activate",
               .target = agent_.id,
               .reason = "the candidate passed the gate",
               .details = {{"policy", candidate.sha256},
                           {"before", active_sha256_},
                           {"gain", std::format("{:.4g}", candidate.shadow.gain)}}});
  active_sha256_ = candidate.sha256;
  metrics_.candidate_acts();
  board_->set_acting(active_sha256_);
}

void AgentRole::answer_health(v1::HealthAnswer& answer) const {
  answer.set_healthy(attached_ && !late() && trouble_.empty());
  answer.set_reason(late() ? "no decision for three periods" : trouble_);
  answer.set_pid(::getpid());
  answer.set_endpoint(operations_.address());
  metrics::tell_circuits(operations_.registry, answer);
}

bool AgentRole::late() const {
  return attached_ && !lockstep_ && clock_.steady() - last_decided_ > 3 * from_seconds(agent_.period_s) + 1s;
}

// What a health check sees, once a second.
void AgentRole::report() {
  const Duration now = clock_.steady();
  if (now - reported_ < kReportEvery) return;
  reported_ = now;
  circuit_.show(to_io_);
  audit_removed_.follow(static_cast<double>(audit_.status().removed));
  const bool usable = outcome_ == controllers::Outcome::ok;
  operations_.health.report({{"policy", true, active_sha256_},
                             {"io", attached_ && trouble_.empty(), trouble_},
                             {"inputs", usable, usable ? "" : decider_.explain()},
                             {"decisions", !late(), late() ? "none for three periods" : std::to_string(decisions_)}});
}

void AgentRole::attach() {
  v1::AttachRequest request;
  request.set_agent(agent_.id);
  request.set_policy_sha256(active_sha256_);
  request.set_validated(artifact_.manifest.validation.passed);
  request.set_instance("agent." + name_);
  auto answer = io_->call<v1::AttachAnswer>("io.Attach", "io", request, kAttachTimeout);
  if (!answer) {
    trouble_ = answer.error().message;
    attached_ = pending_ = false;
    to_io_.failed(clock_.steady());
    return;
  }
  if (!attached_)
    log::info("attached to io",
              {{"agent", agent_.id}, {"policy", active_sha256_}, {"decisions", std::to_string(decisions_)}});
  if (!attached_) schedule_.start(clock_.steady());
  if (!attached_) metrics_.attached();
  attached_ = true;
  to_io_.succeeded();
  mode_ = answer->mode();
  active_ = answer->active();
  trouble_.clear();
  sequence_ = 0;
  // Whatever was published before is in here: state first, then the stream.
  take(answer->latest());
}

void AgentRole::take(const v1::SampleBatch& batch) {
  if (batch.sequence() != 0 && batch.sequence() <= sequence_) return;
  sequence_ = batch.sequence();
  last_heard_ = clock_.steady();
  quiet_limit_ = kQuietFirst;
  samples_.clear();
  bool opens = false;
  for (const v1::Sample& sample : batch.samples()) {
    if (sample.tag() >= opens_.size()) continue;
    samples_.push_back({.tag = sample.tag(),
                        .element = sample.element(),
                        .value = sample.value(),
                        .source_time = TimePoint(Duration(sample.source_unix_ns())),
                        .received_time = TimePoint(Duration(sample.received_unix_ns())),
                        .quality = static_cast<Quality>(std::min<std::uint32_t>(sample.quality(), 2)),
                        .status = sample.status()});
    opens = opens || opens_[sample.tag()];
  }
  decider_.add(samples_);
  // On the wall clock what comes before a decision is due only adds to what the next one sees.
  if (lockstep_ ? !batch.complete() : !opens || !schedule_.due_with_samples(last_heard_)) return;
  pending_ = true;
  pending_time_ = TimePoint(Duration(batch.now_unix_ns()));
  pending_received_ns_ = batch.received_steady_ns();
}

void AgentRole::take_events() {
  std::string_view topic, body;
  while (events_->receive(topic, body, 0ms)) {
    if (!batch_.ParseFromArray(body.data(), static_cast<int>(body.size()))) continue;
    // A stream that starts anew is a new io's: it does not know us.
    const bool anew = batch_.sequence() < streamed_;
    streamed_ = batch_.sequence();
    if (anew && attached_) return lost({Errc::disconnected, "io was restarted"});
    // Some were lost on the way, as at first when io was restarted: without them a step would be decided from the one
    // before. State first, then the stream.
    if (attached_ && batch_.sequence() > sequence_ + 1) attach();
    if (attached_) take(batch_);
    if (lockstep_ && pending_) return;
  }
}

void AgentRole::decide_when_due() {
  const Duration now = clock_.steady();
  if (lockstep_) {
    if (pending_) decide(pending_time_, pending_received_ns_);
    return;
  }
  if (pending_) return decide(pending_time_, pending_received_ns_);
  if (schedule_.overdue(now)) decide(clock_.now(), now.count());
}

// A step of the plant's clock is decided once. An io that was killed on the way asks again, and by then the plant may
// have our answer: whoever decided anew, from the set-points that it finds, would move them twice.
bool AgentRole::decided(TimePoint now) const {
  return lockstep_ && proposal_.time_unix_ns() == now.time_since_epoch().count() &&
         proposal_.outcome() == static_cast<std::uint32_t>(controllers::Outcome::ok);
}

void AgentRole::decide(TimePoint now, std::int64_t received_steady_ns) {
  pending_ = false;
  proposal_.set_correlation_id(make_id(clock_.now()));
  const log::Correlation of_this_decision(proposal_.correlation_id());
  trace::Span whole = trace::Span::root("decision");
  whole.set("rltune.agent", agent_.id).set("rltune.policy", std::string_view(active_sha256_).substr(0, 12));
  const trace::Scope within(whole.context());
  const Duration before = clock_.steady();
  Duration took{};
  if (!decided(now)) {
    const Decision& decision = decider_.decide(now);
    took = clock_.steady() - before;
    fill_proposal(decision, now, took);
    metrics_.decided(decision.outcome, decider_.judged(), took);
    if (decision.outcome != outcome_) say_why(decision.outcome);
  }
  schedule_.decided(before);
  propose(received_steady_ns);
  // Recorded now that the plant has its set-points.
  if (took > Duration::zero()) trace::Span::child("agent.decide").end(clock_.steady() - before, took);
}

// When deciding ends and when it begins again: what an operator looks for first.
void AgentRole::say_why(controllers::Outcome outcome) {
  outcome_ = outcome;
  if (outcome == controllers::Outcome::ok)
    log::info("deciding", {{"agent", agent_.id}});
  else
    log::warning("no decision; what stands is held", {{"agent", agent_.id}, {"because", decider_.explain()}});
}

void AgentRole::fill_proposal(const Decision& decision, TimePoint now, Duration took) {
  proposal_.set_agent(agent_.id);
  proposal_.set_instance("agent." + name_);
  proposal_.set_policy_sha256(active_sha256_);
  proposal_.set_time_unix_ns(now.time_since_epoch().count());
  proposal_.set_proposal_ns(took.count());
  proposal_.mutable_values()->Assign(decision.values.begin(), decision.values.end());
  proposal_.mutable_observation()->Assign(decision.observation.begin(), decision.observation.end());
  proposal_.mutable_previous_inputs()->Assign(decision.previous_inputs.begin(), decision.previous_inputs.end());
  proposal_.mutable_network_output()->Assign(decision.network_output.begin(), decision.network_output.end());
  proposal_.mutable_recurrent_state()->Assign(decision.recurrent_state.begin(), decision.recurrent_state.end());
  proposal_.set_outcome(static_cast<std::uint32_t>(decision.outcome));
  proposal_.clear_explored();
  if (explorer_ && active_ && mode_ == kAutomatic && decision.outcome == controllers::Outcome::ok) {
    const auto added = explorer_->explore({proposal_.mutable_values()->mutable_data(), decision.values.size()});
    proposal_.mutable_explored()->Assign(added.begin(), added.end());
  }
}

void AgentRole::propose(std::int64_t received_steady_ns) {
  proposal_.set_received_steady_ns(received_steady_ns);
  proposal_.SerializeToString(&body_);
  const auto answer = io_->call("io.Propose", "io", body_, kProposeTimeout, proposal_.correlation_id());
  if (!answer && answer.error().code == Errc::disconnected) return lost(answer.error());
  if (!answer) {
    // io decides such a cycle without us: the guard holds.
    metrics_.refused();
    log::warning("io did not take a proposal",
                 {{"reason", answer.error().message}, {"code", to_string(answer.error().code)}});
    return;
  }
  if (explorer_ && event_.ParseFromString(*answer)) {
    mode_ = event_.mode();
    active_ = event_.origin() != "shadow";
  }
  ++decisions_;
  if (log::level() == log::Level::debug)
    log::debug("proposed", {{"policy", proposal_.policy_sha256()}, {"outcome", std::to_string(proposal_.outcome())}});
  last_decided_ = last_heard_ = clock_.steady();
  gate_.watch({proposal_.observation().data(), static_cast<std::size_t>(proposal_.observation_size())});
  consider_candidate();
}

void AgentRole::lost(const Error& error) {
  log::warning("lost io; attaching again", {{"reason", error.message}});
  attached_ = pending_ = false;
  trouble_ = "io is gone";
}

void AgentRole::catch_up() {
  const Duration now = clock_.steady();
  if (!lockstep_ || now - last_heard_ < quiet_limit_) return;
  const Duration next = std::min(2 * quiet_limit_, kQuietMax);
  attach();
  quiet_limit_ = pending_ ? kQuietFirst : next;
  last_heard_ = now;
}

// Between decisions of a long period: this process still decides when it should.
void AgentRole::beat() {
  const Duration now = clock_.steady();
  const bool on_time = decisions_ > 0 && now - last_decided_ < 2 * from_seconds(agent_.period_s);
  if (lockstep_ || !on_time || now - last_beat_ < from_seconds(site_.guard.heartbeat_s)) return;
  last_beat_ = now;
  heart_->finish();
  v1::AliveRequest request;
  request.set_agent(agent_.id);
  request.set_instance("agent." + name_);
  // An io that is not there shows in the next proposal.
  [[maybe_unused]] const auto sent = heart_->begin("io.Alive", "io", request.SerializeAsString(), 1000ms);
}

milliseconds AgentRole::patience() const {
  if (!attached_) return 20ms;
  const Duration wait =
      lockstep_ ? Duration(kTurn) : std::min<Duration>(kTurn, schedule_.until_overdue(clock_.steady()));
  return std::chrono::ceil<milliseconds>(wait);
}

void AgentRole::run() {
  audit_.post({.action = "role.start", .target = agent_.id, .details = {{"policy", active_sha256_}}});
  while (!interrupted()) {
    if (!attached_ && to_io_.allows(clock_.steady())) attach();
    take_events();
    // The descriptor tells of messages that arrive at an empty queue: nothing waits before it is drained.
    const bool drained = !(lockstep_ && pending_);
    if (attached_) {
      decide_when_due();
      catch_up();
      beat();
    }
    report();
    server_->serve(drained ? patience() : 0ms, events_->descriptor());
  }
  log::info("stopping", {{"decisions", std::to_string(decisions_)}});
}

}  // namespace

Result<> run_agent(const AgentOptions& options) {
  auto role = AgentRole::create(options);
  if (!role) return std::unexpected(role.error());
  (*role)->run();
  return {};
}

}  // namespace rltune::agent
