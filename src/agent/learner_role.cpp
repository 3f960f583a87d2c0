#include "rltune/agent/learner_role.hpp"

#include <unistd.h>

#include <cmath>
#include <format>
#include <optional>

#include "online_learner.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 100ms;
constexpr Duration kOfferEvery = 2s, kReportEvery = 60s;

class LearnerRole {
 public:
  static Result<std::unique_ptr<LearnerRole>> create(const AgentOptions& options);
  void run();

 private:
  LearnerRole(config::Site site, config::Agent agent, policy::Artifact artifact, TransitionBuilder builder,
              WeightsBoard board)
      : site_(std::move(site)),
        agent_(std::move(agent)),
        artifact_(std::move(artifact)),
        builder_(std::move(builder)),
        board_(std::move(board)),
        policies_(PolicyStore::of(site_)),
        checkpoints_(CheckpointStore::of(site_, agent_.id)) {}

  Result<> open(const std::string& run_folder);
  Result<> restore();
  bool take_event();
  void learn(const Transition& transition);
  void offer();
  nn::NetworkDescription acting() const;
  void checkpoint();
  void report();

  config::Site site_;
  config::Agent agent_;
  policy::Artifact artifact_;
  TransitionBuilder builder_;
  WeightsBoard board_;
  PolicyStore policies_;
  CheckpointStore checkpoints_;
  std::optional<OnlineLearner> learner_;
  WallClock clock_;
  bus::Context context_;
  std::optional<bus::Subscriber> events_;
  std::optional<bus::Server> server_;
  v1::DecisionEvent event_;
  Duration last_offer_{}, last_checkpoint_{}, last_report_{};
  std::uint64_t saved_transitions_ = 0;
  std::map<std::string, double> parts_;  // sums since the last report
  std::uint64_t parts_count_ = 0;
  bool restored_ = false;
};

Result<std::unique_ptr<LearnerRole>> LearnerRole::create(const AgentOptions& options) {
  auto site = config::load_site(options.site);
  if (!site) return std::unexpected(site.error());
  const auto agent = std::ranges::find(site->agents, options.agent, &config::Agent::id);
  if (agent == site->agents.end())
    return fail(Errc::not_found, std::format("{} has no agent '{}'", options.site.string(), options.agent));
  auto artifact = policy::load_artifact(site->folder / agent->policy);
  if (!artifact) return std::unexpected(artifact.error());
  auto builder = TransitionBuilder::create(*site, *agent, artifact->manifest);
  if (!builder) return std::unexpected(builder.error());
  auto board = WeightsBoard::open(WeightsBoard::path_in(options.run_folder, agent->id));
  if (!board) return std::unexpected(board.error());
  std::unique_ptr<LearnerRole> role(
      new LearnerRole(*site, *agent, std::move(*artifact), std::move(*builder), std::move(*board)));
  if (auto done = role->open(options.run_folder.string()); !done) return std::unexpected(done.error());
  if (auto done = role->restore(); !done) return std::unexpected(done.error());
  return role;
}

Result<> LearnerRole::open(const std::string& run_folder) {
  auto server = bus::Server::bind(context_, bus::call_endpoint(run_folder, "learner." + agent_.id));
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  server_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "learner.Health", [](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer.set_healthy(true);
        answer.set_pid(::getpid());
        return {};
      });
  auto events = bus::Subscriber::connect(context_, bus::event_endpoint(run_folder, "io"), "decisions");
  if (!events) return std::unexpected(events.error());
  events_.emplace(std::move(*events));
  return {};
}

Result<> LearnerRole::restore() {
  const auto fresh = [this] { return OnlineLearner::create(agent_, artifact_, {}); };
  auto learner = checkpoints_.restore(fresh, restored_);
  if (!learner) return std::unexpected(learner.error());
  learner_.emplace(std::move(*learner));
  saved_transitions_ = learner_->transitions();
  log::info(
      restored_ ? "learning goes on from a checkpoint" : "learning starts",
      {{"transitions", std::to_string(learner_->transitions())}, {"updates", std::to_string(learner_->updates())}});
  return {};
}

bool LearnerRole::take_event() {
  std::string_view topic, body;
  if (!events_->receive(topic, body, 0ms)) return false;
  if (!event_.ParseFromArray(body.data(), static_cast<int>(body.size()))) return true;
  if (const auto transition = builder_.add(event_)) learn(*transition);
  return true;
}

void LearnerRole::learn(const Transition& transition) {
  learner_->add(transition);
  for (const auto& [name, value] : transition.parts) parts_[name] += value;
  ++parts_count_;
  if (learner_->sound()) return;
  log::error("training diverged; going back to the last checkpoint");
  if (auto done = restore(); !done) log::error(done.error().message);
}

nn::NetworkDescription LearnerRole::acting() const {
  const std::string sha = board_.acting();
  if (sha.empty() || sha == artifact_.sha256) return artifact_.network;
  auto network = policies_.get(sha);
  return network ? std::move(*network) : artifact_.network;
}

void LearnerRole::offer() {
  const Duration now = clock_.steady();
  if (now - last_offer_ < kOfferEvery) return;
  last_offer_ = now;
  const auto offer = learner_->offer(acting());
  if (!offer) return;
  // On disk before anybody can act by them: every decision's weights can be replayed.
  const auto sha = policies_.put(offer->onnx);
  if (!sha) return log::error("candidate weights cannot be stored", {{"reason", sha.error().message}});
  if (!board_.publish(offer->onnx, *sha, offer->shadow))
    return log::error("candidate weights are too large to hand over");
  log::info("candidate weights published", {{"policy", *sha},
                                            {"change", std::format("{:.5f}", offer->change)},
                                            {"gain", std::format("{:.4g}", offer->shadow.gain)},
                                            {"gain_low", std::format("{:.4g}", offer->shadow.gain_low)},
                                            {"updates", std::to_string(learner_->updates())}});
}

void LearnerRole::checkpoint() {
  last_checkpoint_ = clock_.steady();
  if (learner_->transitions() == saved_transitions_) return;
  if (auto saved = checkpoints_.save(*learner_); !saved)
    return log::error("the checkpoint could not be written", {{"reason", saved.error().message}});
  saved_transitions_ = learner_->transitions();
  log::info("checkpoint written", {{"transitions", std::to_string(saved_transitions_)}});
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
      {{"parts", text}, {"decisions", std::to_string(parts_count_)}, {"updates", std::to_string(learner_->updates())}});
  parts_.clear();
  parts_count_ = 0;
}

void LearnerRole::run() {
  last_checkpoint_ = last_report_ = clock_.steady();
  const Duration every = from_seconds(60.0 * agent_.learning.checkpoint_minutes);
  while (!interrupted()) {
    const bool busy = take_event();
    offer();
    if (clock_.steady() - last_checkpoint_ >= every) checkpoint();
    if (clock_.steady() - last_report_ >= kReportEvery) report();
    server_->serve(busy ? 0ms : kTurn, events_->descriptor());
  }
  report();
  checkpoint();
  log::info("stopping", {{"updates", std::to_string(learner_->updates())}});
}

}  // namespace

Result<> run_learner(const AgentOptions& options) {
  auto role = LearnerRole::create(options);
  if (!role) return std::unexpected(role.error());
  (*role)->run();
  return {};
}

}  // namespace rltune::agent
