#include "online_learner.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "activation_gate.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"

namespace rltune::agent {
namespace {

constexpr const char* kOrigin = "learning on site";
constexpr std::size_t kLiveMin = 64;
// Candidates stay this far inside the site's limit, so that rounding does not put them outside.
constexpr double kInside = 0.95;
// A loss of value smaller than this part of its spread over the live observations counts as none.
constexpr double kMarginOfSpread = 0.02;
constexpr double kNormal95 = 1.645;

std::string widths_of(const nn::NetworkDescription& network) {
  std::string text;
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l)
    text += (l == 0 ? "" : "x") + std::to_string(network.layers[l].outputs);
  return text;
}

// The artifact's own, then what learning beside a loop changes: behind a trained policy there is little to
// explore, and its actor must wait for critics that know this plant.
Result<rl::Hyperparameters> hyperparameters_for(const policy::Artifact& artifact, const OnlineOptions& options) {
  const policy::Manifest& manifest = artifact.manifest;
  auto made = rl::default_hyperparameters("sac", manifest.plant);
  if (!made) return made;
  if (manifest.algorithm == "sac")
    for (const auto& [name, value] : manifest.hyperparameters) {
      // A name that this version does not know was another version's.
      [[maybe_unused]] const auto taken = made->set(name, value, "artifact");
    }
  const nn::NetworkDescription& network = artifact.network;
  const std::vector<std::pair<const char*, std::string>> own{
      {"hidden", widths_of(network)},
      {"activation", rl::format_value(network.layers.front().activation)},
      {"observation_clip", rl::format_value(static_cast<double>(network.clip))},
      {"n_step", "1"},
      {"temperature_start", "0.01"},
      {"learning_rate_actor", "3e-5"},
      {"learning_starts", "64"},
      {"updates_per_step", "1"},
      {"actor_starts", std::to_string(options.critic_updates_first)},
      {"buffer_size", std::to_string(options.replay_max)}};
  for (const auto& [name, value] : own)
    if (auto set = made->set(name, value, kOrigin); !set) return std::unexpected(set.error());
  return made;
}

// acting + part (wanted - acting)
nn::NetworkDescription between(const nn::NetworkDescription& acting, const nn::NetworkDescription& wanted,
                               double part) {
  nn::NetworkDescription made = wanted;
  const auto blend = [part](const std::vector<float>& from, std::vector<float>& to) {
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<float>(static_cast<double>(from[i]) +
                                 part * (static_cast<double>(to[i]) - static_cast<double>(from[i])));
  };
  for (std::size_t l = 0; l < made.layers.size(); ++l) {
    blend(acting.layers[l].weight, made.layers[l].weight);
    blend(acting.layers[l].bias, made.layers[l].bias);
  }
  return made;
}

}  // namespace

Result<OnlineLearner> OnlineLearner::create(const config::Agent& agent, const policy::Artifact& artifact,
                                            const OnlineOptions& options) {
  auto hyperparameters = hyperparameters_for(artifact, options);
  if (!hyperparameters) return std::unexpected(hyperparameters.error());
  rl::LearnerOptions learner_options;
  for (const env::Feature& feature : artifact.manifest.observation)
    learner_options.observation.push_back(feature.variable);
  learner_options.actions = artifact.manifest.action.size();
  learner_options.seed = options.seed;
  auto learner = rl::make_learner("sac", learner_options, *hyperparameters);
  if (!learner) return std::unexpected(learner.error());
  if (auto taken = (*learner)->import_network(artifact.network); !taken)
    return fail(Errc::unsupported,
                std::format("agent {}: learning on site continues SAC policies alone, and this one ({}) is of "
                            "another form: {}",
                            agent.id, artifact.manifest.algorithm, taken.error().message));
  return OnlineLearner(std::move(*learner), agent, artifact, options);
}

OnlineLearner::OnlineLearner(std::unique_ptr<rl::Learner> learner, const config::Agent& agent,
                             const policy::Artifact& artifact, const OnlineOptions& options)
    : learner_(std::move(learner)),
      options_(options),
      weight_change_max_(agent.learning.weight_change_max),
      artifact_sha256_(artifact.sha256),
      observations_(artifact.manifest.observation.size()),
      actions_(artifact.manifest.action.size()) {}

std::size_t OnlineLearner::add(const experience::Transition& transition) {
  const auto reward = static_cast<float>(transition.reward);
  const std::uint8_t no = 0;
  learner_->observe(
      {transition.observation, transition.action, {&reward, 1}, transition.next_observation, {&no, 1}, {&no, 1}});
  ++transitions_;
  time_ = transition.time;
  live_.insert(live_.end(), transition.next_observation.begin(), transition.next_observation.end());
  if (live_.size() > ActivationGate::kObservations * observations_)
    live_.erase(live_.begin(), live_.begin() + static_cast<std::ptrdiff_t>(observations_));
  const std::size_t made = learner_->update();
  updates_ += made;
  return made;
}

bool OnlineLearner::sound() const {
  return std::ranges::all_of(learner_->metrics(), [](const auto& entry) { return std::isfinite(entry.second); });
}

std::vector<float> OnlineLearner::actions_of(const nn::NetworkDescription& description) const {
  const std::size_t rows = live_.size() / observations_;
  std::vector<float> actions(rows * actions_, std::numeric_limits<float>::quiet_NaN());
  auto network = nn::PolicyNetwork::create(description);
  if (!network) return actions;
  for (std::size_t row = 0; row < rows; ++row)
    network->act({&live_[row * observations_], observations_}, {&actions[row * actions_], actions_});
  return actions;
}

ShadowReport OnlineLearner::shadow(const nn::NetworkDescription& candidate, const nn::NetworkDescription& acting) {
  const std::size_t rows = live_.size() / observations_;
  std::vector<float> theirs(rows), ours(rows);
  learner_->action_values(live_, actions_of(candidate), theirs);
  learner_->action_values(live_, actions_of(acting), ours);
  const auto n = static_cast<double>(rows);
  double gain = 0.0, gain_square = 0.0, value = 0.0, value_square = 0.0;
  for (std::size_t row = 0; row < rows; ++row) {
    const double own = static_cast<double>(ours[row]), difference = static_cast<double>(theirs[row]) - own;
    gain += difference / n;
    gain_square += difference * difference / n;
    value += own / n;
    value_square += own * own / n;
  }
  const double deviation = std::sqrt(std::max(0.0, gain_square - gain * gain));
  const double spread = std::sqrt(std::max(0.0, value_square - value * value));
  return {.observations = rows,
          .gain = gain,
          .gain_low = gain - kNormal95 * deviation / std::sqrt(n),
          .margin = kMarginOfSpread * spread};
}

std::optional<OnlineLearner::Offer> OnlineLearner::offer(const nn::NetworkDescription& acting) {
  const bool due =
      updates_ > options_.critic_updates_first && updates_ >= offered_at_ + options_.updates_between_candidates;
  if (!due || live_.size() < kLiveMin * observations_) return std::nullopt;
  offered_at_ = updates_;
  nn::NetworkDescription candidate = learner_->export_network();
  double change = relative_change(candidate, acting);
  if (!std::isfinite(change) || change == 0.0) return std::nullopt;
  if (change > kInside * weight_change_max_) {
    candidate = between(acting, candidate, kInside * weight_change_max_ / change);
    change = relative_change(candidate, acting);
  }
  Offer offer{.shadow = shadow(candidate, acting), .change = change};
  auto onnx = nn::to_onnx(candidate, "learnt on site");
  if (!onnx) return std::nullopt;
  offer.onnx = std::move(*onnx);
  return offer;
}

void OnlineLearner::archive(Archive& archive) {
  std::string artifact = artifact_sha256_;
  archive.text(artifact);
  if (artifact != artifact_sha256_) return archive.refuse("it continues another artifact");
  archive.value(transitions_);
  archive.value(updates_);
  archive.value(offered_at_);
  auto time_ns = time_.time_since_epoch().count();
  archive.value(time_ns);
  time_ = TimePoint(Duration(time_ns));
  archive.resized(live_);
  if (live_.size() % observations_ != 0) return archive.refuse("its observations have another width");
  learner_->archive(archive);
}

CheckpointStore CheckpointStore::of(const config::Site& site, const std::string& agent) {
  return CheckpointStore(site.folder / site.storage.folder / "learner" / agent);
}

std::vector<std::filesystem::path> CheckpointStore::newest_first() const {
  std::vector<std::filesystem::path> files;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code))
    if (entry.path().extension() == ".checkpoint") files.push_back(entry.path());
  std::ranges::sort(files, std::greater{});
  return files;
}

Result<std::size_t> CheckpointStore::add(Archive& archive, std::size_t kept) const {
  const auto before = newest_first();
  const std::uint64_t number = before.empty() ? 1 : std::strtoull(before.front().stem().c_str(), nullptr, 10) + 1;
  if (auto written = archive.write(folder_ / std::format("{:012}.checkpoint", number)); !written)
    return std::unexpected(written.error());
  std::size_t removed = 0;
  std::error_code ignored;
  for (std::size_t i = kept - 1; i < before.size(); ++i) removed += std::filesystem::remove(before[i], ignored) ? 1 : 0;
  return removed;
}

void CheckpointStore::tell_skipped(const std::filesystem::path& file, const Error& why) {
  log::warning("a checkpoint is skipped", {{"file", file.string()}, {"reason", why.message}});
  if (why.code == Errc::corrupt) [[maybe_unused]]
    const auto aside =
        put_aside(file, why.message, "learning goes on from the one before, and from the decision log what is missing");
}

Result<TimePoint> CheckpointStore::artifact_since(const std::string& artifact_sha256, TimePoint now) const {
  const std::filesystem::path file = folder_ / "artifact";
  const auto noted = read_file(file);
  if (noted && noted->starts_with(artifact_sha256 + " ")) {
    std::string time = noted->substr(artifact_sha256.size() + 1);
    while (time.ends_with('\n')) time.pop_back();
    if (auto since = parse_rfc3339(time)) return since;
    [[maybe_unused]] const auto aside =
        put_aside(file, "it does not say since when the artifact acts", "what was decided before is not learnt from");
  }
  // Nothing learnt here before: whatever is on record was decided by this one.
  const TimePoint since = noted ? now : TimePoint{};
  if (auto written = write_file(file, std::format("{} {}\n", artifact_sha256, format_rfc3339(since))); !written)
    return std::unexpected(written.error());
  return since;
}

}  // namespace rltune::agent
