#include "rltune/agent/learner_role.hpp"

#include <unistd.h>

#include <cmath>
#include <deque>
#include <format>
#include <optional>

#include "decision_taker.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/followed.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 100ms;
// A learner runs when nothing else does, and a step of learning or a checkpoint takes its time.
constexpr Duration kSilenceMax = 60s;
constexpr Duration kOfferEvery = 2s, kReportEvery = 60s;
// io's writer commits what was decided well within this; a disk that is full may not.
constexpr Duration kCommitPatience = 5s;

class LearnerRole {
 public:
  static Result<std::unique_ptr<LearnerRole>> create(const AgentOptions& options);
  void run();

 private:
  LearnerRole(config::Site site, config::Agent agent, std::string name, policy::Artifact artifact, WeightsBoard board,
              TimePoint artifact_since, const std::filesystem::path& run_folder)
      : site_(std::move(site)),
        agent_(std::move(agent)),
        name_(std::move(name)),
        artifact_(std::move(artifact)),
        board_(std::move(board)),
        policies_(PolicyStore::of(site_)),
        checkpoints_(CheckpointStore::of(site_, name_)),
        artifact_since_(artifact_since),
        operations_("learner." + name_, clock_, kSilenceMax),
        telemetry_({.folder = site_.folder, .run_folder = run_folder, .site = site_.name, .role = "learner." + name_},
                   operations_.registry),
        updates_(operations_.registry.counter("rltune_agent_performance_learner_updates_total",
                                              "Steps of learning, over every checkpoint")),
        transitions_(operations_.registry.gauge("rltune_agent_performance_learner_transitions",
                                                "Transitions learnt from, over every checkpoint")),
        offers_(operations_.registry.counter("rltune_agent_performance_learner_offers_total",
                                             "Candidate weights published")),
        divergences_(operations_.registry.counter("rltune_agent_health_learner_divergences_total",
                                                  "Times learning went back to a checkpoint")),
        checkpointed_(operations_.registry.gauge("rltune_agent_health_learner_checkpoint_timestamp_seconds",
                                                 "When the last checkpoint was written, seconds since 1970")),
        audit_({.folder = site_.folder / site_.storage.folder / "audit",
                .role = "learner." + name_,
                .keeping = {.age = config::kept_for(site_.folder, &config::Retention::audit_days)}}),
        retention_(site_.folder),
        removed_(operations_.registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "checkpoints"}})) {}

  Result<> open(const std::string& run_folder);
  Result<> restore();
  Result<DecisionTaker> fresh() const;
  void recall();
  void tell_recalled() const;
  bool take_one();
  bool take_event();
  bool fill_gap();
  void learn(const historian::Decision& decision);
  OnlineLearner& learner() { return taker_->learner(); }
  void offer();
  nn::NetworkDescription acting() const;
  void checkpoint();
  void report();
  void report_health();

  config::Site site_;
  config::Agent agent_;
  const std::string name_;  // of the instance that it improves
  policy::Artifact artifact_;
  WeightsBoard board_;
  PolicyStore policies_;
  CheckpointStore checkpoints_;
  const TimePoint artifact_since_;
  std::optional<DecisionTaker> taker_;
  WallClock clock_;
  bus::Context context_;
  std::optional<bus::Subscriber> events_;
  std::optional<bus::Server> server_;
  v1::DecisionEvent event_;
  std::deque<historian::Decision> backlog_;   // out of the decision log: first of all
  std::optional<v1::DecisionEvent> waiting_;  // the first one behind a gap, until the log has what came before
  Duration waiting_since_{};
  std::uint64_t sequence_ = 0;  // of the newest event
  TimePoint from_log_{};        // events up to here were in the log
  Duration last_offer_{}, last_checkpoint_{}, last_report_{};
  std::uint64_t saved_transitions_ = 0;
  std::map<std::string, double> parts_;  // sums since the last report
  std::uint64_t parts_count_ = 0;
  bool restored_ = false;
  std::string checkpoint_trouble_;
  metrics::Operations operations_;
  tracing::SiteTelemetry telemetry_;
  metrics::Counter& updates_;
  metrics::Gauge& transitions_;
  metrics::Counter &offers_, &divergences_;
  metrics::Gauge& checkpointed_;
  audit::Recorder audit_;
  config::Followed<config::Retention> retention_;
  metrics::Counter& removed_;
  metrics::Counter& audit_removed_ =
      operations_.registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "audit"}});
  Duration reported_{};
};

Result<std::unique_ptr<LearnerRole>> LearnerRole::create(const AgentOptions& options) {
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
  auto board = WeightsBoard::open(WeightsBoard::path_in(options.run_folder, options.name()));
  if (!board) return std::unexpected(board.error());
  const auto since = CheckpointStore::of(*site, options.name()).artifact_since(artifact->sha256, WallClock().now());
  if (!since) return std::unexpected(since.error());
  std::unique_ptr<LearnerRole> role(new LearnerRole(*site, *agent, options.name(), std::move(*artifact),
                                                    std::move(*board), *since, options.run_folder));
  if (auto done = role->open(options.run_folder.string()); !done) return std::unexpected(done.error());
  if (auto done = role->restore(); !done) return std::unexpected(done.error());
  role->recall();
  role->tell_recalled();
  return role;
}

Result<> LearnerRole::open(const std::string& run_folder) {
  auto server = bus::Server::bind(bus::call_endpoint(run_folder, "learner." + name_));
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  server_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "learner.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer.set_healthy(true);
        answer.set_pid(::getpid());
        answer.set_endpoint(operations_.address());
        metrics::tell_circuits(operations_.registry, answer);
        return {};
      });
  bus::serve_log_level(*server_, "learner");
  if (site_.operations.endpoints) operations_.open();
  auto events = bus::Subscriber::connect(context_, bus::event_endpoint(run_folder, "io"), "decisions");
  if (!events) return std::unexpected(events.error());
  events_.emplace(std::move(*events));
  return {};
}

Result<DecisionTaker> LearnerRole::fresh() const {
  auto builder = experience::TransitionBuilder::create(site_, agent_, artifact_.manifest);
  if (!builder) return std::unexpected(builder.error());
  auto learner = OnlineLearner::create(agent_, artifact_, {});
  if (!learner) return std::unexpected(learner.error());
  return DecisionTaker(std::move(*learner), std::move(*builder));
}

Result<> LearnerRole::restore() {
  auto taker = checkpoints_.restore([this] { return fresh(); }, restored_);
  if (!taker) return std::unexpected(taker.error());
  taker_.emplace(std::move(*taker));
  taker_->start_after(artifact_since_);
  saved_transitions_ = learner().transitions();
  log::info(
      restored_ ? "learning goes on from a checkpoint" : "learning starts",
      {{"transitions", std::to_string(learner().transitions())}, {"updates", std::to_string(learner().updates())}});
  return {};
}

// Puts what was decided since the newest decision taken at the head of what is to be learnt from.
void LearnerRole::recall() {
  auto decisions = historian::newest_decisions(site_.folder / site_.storage.folder / "decisions", taker_->taken(),
                                               OnlineOptions().replay_max + 1);
  if (!decisions && decisions.error().code != Errc::not_found)
    log::warning("the decision log cannot be read; what was decided meanwhile is not learnt from",
                 {{"reason", decisions.error().message}});
  if (!decisions || decisions->empty()) return;
  from_log_ = decisions->back().wall_time;
  std::ranges::move(*decisions, std::back_inserter(backlog_));
}

void LearnerRole::tell_recalled() const {
  if (!backlog_.empty())
    log::info("learning from the decision log what was missed", {{"decisions", std::to_string(backlog_.size())}});
}

// False when nothing is there.
bool LearnerRole::take_one() {
  if (backlog_.empty()) return waiting_ ? fill_gap() : take_event();
  learn(backlog_.front());
  if (!backlog_.empty()) backlog_.pop_front();
  return true;
}

bool LearnerRole::take_event() {
  std::string_view topic, body;
  if (!events_->receive(topic, body, 0ms)) return false;
  if (!event_.ParseFromArray(body.data(), static_cast<int>(body.size()))) return true;
  const bool next = event_.sequence() == sequence_ + 1;
  const bool known = event_.wall_unix_ns() <= from_log_.time_since_epoch().count();
  if (known || next) sequence_ = event_.sequence();
  if (known) return true;
  from_log_ = {};
  if (next) {
    learn(decision_of(event_, site_));
    return true;
  }
  waiting_ = event_;
  waiting_since_ = clock_.steady();
  return true;
}

// Events were lost: while we were not here, too slow, or io was restarted. The log has them once io has committed what
// it published.
bool LearnerRole::fill_gap() {
  recall();
  const bool whole = from_log_.time_since_epoch().count() >= waiting_->wall_unix_ns();
  if (!whole && clock_.steady() - waiting_since_ < kCommitPatience) {
    backlog_.clear();
    return false;
  }
  if (!whole) {
    log::warning("decisions were missed and are not in the log; they are not learnt from");
    backlog_.push_back(decision_of(*waiting_, site_));
  }
  tell_recalled();
  sequence_ = waiting_->sequence();
  waiting_.reset();
  return true;
}

void LearnerRole::learn(const historian::Decision& decision) {
  trace::Span span = trace::Span::root("learner.update");
  span.set("rltune.decision_id", decision.id).set("rltune.agent", agent_.id);
  const auto transition = taker_->take(decision);
  if (!transition) return;
  for (const auto& [name, value] : transition->parts) parts_[name] += value;
  ++parts_count_;
  if (learner().sound()) return;
  divergences_.add();
  log::error("training diverged; going back to the last checkpoint, without what led there");
  backlog_.clear();
  if (auto done = restore(); !done) log::error(done.error().message);
  taker_->start_after(clock_.now());
}

nn::NetworkDescription LearnerRole::acting() const {
  const std::string sha = board_.acting();
  if (sha.empty() || sha == artifact_.sha256) return artifact_.network;
  auto network = policies_.get(sha);
  if (network) return *std::move(network);
  return artifact_.network;
}

void LearnerRole::offer() {
  const Duration now = clock_.steady();
  if (now - last_offer_ < kOfferEvery) return;
  last_offer_ = now;
  const auto offer = learner().offer(acting());
  if (!offer) return;
  // On disk before anybody can act by them: every decision's weights can be replayed.
  const auto sha = policies_.put(offer->onnx);
  if (!sha) return log::error("candidate weights cannot be stored", {{"reason", sha.error().message}});
  if (!board_.publish(offer->onnx, *sha, offer->shadow))
    return log::error("candidate weights are too large to hand over");
  offers_.add();
  audit_.post({.action = "weights.publish",
               .target = agent_.id,
               .details = {{"policy", *sha},
                           {"change", std::format("{:.5f}", offer->change)},
                           {"updates", std::to_string(learner().updates())}}});
  log::info("candidate weights published", {{"policy", *sha},
                                            {"change", std::format("{:.5f}", offer->change)},
                                            {"gain", std::format("{:.4g}", offer->shadow.gain)},
                                            {"gain_low", std::format("{:.4g}", offer->shadow.gain_low)},
                                            {"updates", std::to_string(learner().updates())}});
}

void LearnerRole::checkpoint() {
  last_checkpoint_ = clock_.steady();
  if (learner().transitions() == saved_transitions_) return;
  retention_.turn();
  const auto saved = checkpoints_.save(*taker_, retention_.value().checkpoints);
  checkpoint_trouble_ = saved ? "" : saved.error().message;
  if (!saved) return log::error("the checkpoint could not be written", {{"reason", checkpoint_trouble_}});
  checkpointed_.set(to_seconds(clock_.now().time_since_epoch()));
  saved_transitions_ = learner().transitions();
  removed_.add(static_cast<double>(*saved));
  log::info("checkpoint written",
            {{"transitions", std::to_string(saved_transitions_)}, {"older_removed", std::to_string(*saved)}});
}

// What the plant earned, by part, so that a term that runs away is seen.
void LearnerRole::report() {
  last_report_ = clock_.steady();
  if (parts_count_ == 0) return;
  std::string text;
  for (const auto& [name, sum] : parts_)
    text += std::format("{}{}={:.6g}", text.empty() ? "" : " ", name, sum / static_cast<double>(parts_count_));
  log::info(
      "mean of a decision",
      {{"parts", text}, {"decisions", std::to_string(parts_count_)}, {"updates", std::to_string(learner().updates())}});
  parts_.clear();
  parts_count_ = 0;
}

// What Prometheus and a health check see, once a second.
void LearnerRole::report_health() {
  const Duration now = clock_.steady();
  if (now - reported_ < 1s) return;
  reported_ = now;
  audit_removed_.follow(static_cast<double>(audit_.status().removed));
  updates_.follow(static_cast<double>(learner().updates()));
  transitions_.set(static_cast<double>(learner().transitions()));
  operations_.health.report({{"policy", true, artifact_.sha256},
                             {"checkpoint", checkpoint_trouble_.empty(), checkpoint_trouble_},
                             {"decisions", true, waiting_ ? "waits for what it missed" : ""}});
}

void LearnerRole::run() {
  last_checkpoint_ = last_report_ = clock_.steady();
  const Duration every = from_seconds(60.0 * agent_.learning.checkpoint_minutes);
  while (!interrupted()) {
    const bool busy = take_one();
    offer();
    if (clock_.steady() - last_checkpoint_ >= every) checkpoint();
    if (clock_.steady() - last_report_ >= kReportEvery) report();
    report_health();
    server_->serve(busy ? 0ms : kTurn, waiting_ ? -1 : events_->descriptor());
  }
  report();
  checkpoint();
  log::info("stopping", {{"updates", std::to_string(learner().updates())}});
}

}  // namespace

Result<> run_learner(const AgentOptions& options) {
  auto role = LearnerRole::create(options);
  if (!role) return std::unexpected(role.error());
  (*role)->run();
  return {};
}

}  // namespace rltune::agent
