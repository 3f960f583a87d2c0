#include "train_run.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <format>
#include <print>

#include "common.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/runs/provenance.hpp"
#include "train_environments.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "rltune/training/v3";
constexpr std::string_view kSoundFormat = "rltune/training/sound";
constexpr std::uint64_t kRecords = 200;  // lines of metrics in a run
constexpr std::uint64_t kExaminations = 20;
constexpr double kSetbackFactor = 0.25;  // on every learning rate, each time

void archive_layers(Archive& archive, std::vector<nn::DenseLayer>& all) {
  std::uint64_t count = all.size();
  archive.value(count);
  if (!archive.result()) return;
  all.resize(count);
  for (nn::DenseLayer& layer : all) {
    archive.value(layer.inputs);
    archive.value(layer.outputs);
    archive.value(layer.activation);
    archive.resized(layer.weight);
    archive.resized(layer.bias);
  }
}

void archive_layers(Archive& archive, std::vector<nn::RecurrentLayer>& all) {
  std::uint64_t count = all.size();
  archive.value(count);
  if (!archive.result()) return;
  all.resize(count);
  for (nn::RecurrentLayer& layer : all) {
    archive.value(layer.kind);
    archive.value(layer.inputs);
    archive.value(layer.hidden);
    for (auto* table : {&layer.input_weight, &layer.recurrent_weight, &layer.input_bias, &layer.recurrent_bias})
      archive.resized(*table);
  }
}

void archive_network(Archive& archive, nn::NetworkDescription& network) {
  archive.resized(network.mean);
  archive.resized(network.scale);
  archive.value(network.clip);
  archive_layers(archive, network.layers);
  auto discrete = static_cast<std::uint8_t>(network.discrete);
  archive.value(discrete);
  network.discrete = discrete != 0;
  archive_layers(archive, network.recurrent);
}

void archive_setbacks(Archive& archive, std::vector<runs::Setback>& setbacks) {
  std::uint64_t count = setbacks.size();
  archive.value(count);
  if (!archive.result()) return;
  setbacks.resize(count);
  for (runs::Setback& one : setbacks) {
    archive.value(one.step);
    archive.value(one.back_to);
    archive.text(one.what);
    archive.value(one.learning_rate_factor);
  }
}

// What two plans differ in, for the person who wonders why a run does not continue.
std::string differences(const ordered_json& ours, const ordered_json& theirs) {
  std::string names;
  const ordered_json patch = ordered_json::diff(theirs, ours);
  for (const auto& change : patch) {
    std::string path = change["path"].get<std::string>().substr(1);
    if (path.ends_with("/origin")) continue;
    if (path.ends_with("/value")) path.resize(path.size() - 6);
    names += (names.empty() ? "" : ", ") + path;
  }
  return names;
}

ordered_json provenance_json() {
  const runs::Provenance here = runs::this_provenance();
  return {{"version", here.version},
          {"revision", here.revision},
          {"processor", here.processor},
          {"cores", here.cores},
          {"operating_system", here.operating_system}};
}

// "learning_rate_end" is a fraction of the others.
bool is_learning_rate(const std::string& name) {
  return name.starts_with("learning_rate") && name != "learning_rate_end";
}

rl::Hyperparameters with_learning_rates(const rl::Hyperparameters& given, double factor) {
  rl::Hyperparameters lowered = given;
  for (const rl::Hyperparameter& one : given.all()) {
    double rate = 0.0;
    if (!is_learning_rate(one.name) || !rl::parse_value(one.value, rate)) continue;
    or_stop(lowered.set(one.name, rl::format_value(rate * factor), one.origin));
  }
  return lowered;
}

bool finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

double now_s() { return to_seconds(WallClock().now().time_since_epoch()); }

std::string bar(double done) {
  constexpr int kWidth = 20;
  std::string text;
  for (int i = 0; i < kWidth; ++i) text += i < static_cast<int>(done * kWidth) ? "█" : "░";
  return text;
}

std::string clock(double seconds) {
  const auto whole = static_cast<long>(std::lround(std::max(0.0, seconds)));
  return std::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

TrainRun::TrainRun(const TrainPlan& plan, const TrainOptions& options)
    : plan_(plan),
      options_(options),
      folder_(options.out),
      lock_(or_stop(runs::RunLock::take(options.out))),
      workers_(std::make_shared<rl::Workers>(options.threads)),
      examination_(examination_environment(plan)),
      begun_(WallClock().now()),
      started_(Clock::now()),
      saved_(started_) {
  if (std::filesystem::exists(folder_ / "checkpoint"))
    restore(folder_ / "checkpoint");
  else if (options.resume)
    stop(kFailed, std::format("there is nothing to resume: {} does not exist", (folder_ / "checkpoint").string()));
  else
    start();
  steps_before_ = training_->steps();
}

TrainRun::~TrainRun() = default;

// A training at its start, with the learning rates that the setbacks so far have left.
void TrainRun::build() {
  auto environments = training_environments(plan_);
  const env::EnvironmentSpec& spec = environments.front()->spec();
  const double factor = setbacks_.empty() ? 1.0 : setbacks_.back().learning_rate_factor;
  auto learner = or_stop(rl::make_learner(options_.algorithm,
                                          {.observation = spec.observation,
                                           .actions = spec.action.size(),
                                           .discrete_actions = spec.discrete_actions,
                                           .costs = spec.costs.size(),
                                           .instances = plan_.instances,
                                           .seed = options_.seed,
                                           .steps_planned = plan_.steps,
                                           .workers = workers_},
                                          with_learning_rates(plan_.hyperparameters, factor)));
  if (plan_.dataset) {
    dataset::feed(*plan_.dataset, *learner);
    training_ = std::make_unique<rl::Training>(std::move(environments.front()), std::move(learner), workers_);
    return;
  }
  training_ = std::make_unique<rl::Training>(std::move(environments), std::move(learner), workers_, options_.seed);
}

void TrainRun::start() {
  build();
  remember();
  ordered_json run = plan_.description;
  run["provenance"] = provenance_json();
  or_stop(write_file(folder_ / "run.json", run.dump(2) + "\n"));
  log_.emplace(or_stop(runs::RunLog::create(folder_, now_s())));
  write_state(runs::Status::running, "");
}

double TrainRun::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - started_).count();
}

void TrainRun::restore(const std::filesystem::path& path) {
  Archive stored = or_stop(Archive::read(path, kFormat));
  std::string plan;
  stored.text(plan);
  or_stop(stored.result());
  const ordered_json theirs = ordered_json::parse(plan);
  if (const std::string names = differences(plan_.description, theirs); !names.empty())
    stop(kFailed, std::format("{} holds a run with other settings ({}): continue it with its own, shown in {}, or give "
                              "another --out",
                              folder_.string(), names, (folder_ / "run.json").string()));
  archive(stored);
  or_stop(stored.result());
  if (over()) return;
  std::println(stderr, "continuing {} at step {}", folder_.string(), training_->steps());
  write_state(runs::Status::running, "");
}

void TrainRun::archive(Archive& archive) {
  double spent = seconds();
  archive.value(spent);
  if (archive.reading()) seconds_before_ = spent;
  archive.value(begun_);
  runs::RunLog::Position position = log_ ? log_->position() : runs::RunLog::Position{};
  archive.value(position);
  or_stop(archive.result());
  if (archive.reading()) log_.emplace(or_stop(runs::RunLog::resume(folder_, position)));
  archive_network(archive, best_.network);
  archive.value(best_.mean_return);
  archive.value(best_.middle_return);
  archive.value(best_.step);
  archive.value(examinations_without_better_);
  archive.text(stopped_because_);
  archive.text(sound_);
  archive.value(sound_step_);
  archive_setbacks(archive, setbacks_);
  if (archive.reading()) build();
  training_->archive(archive);
}

void TrainRun::checkpoint() {
  or_stop(log_->sync());
  Archive stored = Archive::writer(kFormat);
  std::string plan = plan_.description.dump();
  stored.text(plan);
  archive(stored);
  or_stop(stored.write(folder_ / "checkpoint"));
  saved_ = Clock::now();
}

// The step that was just made crosses a multiple of 1/parts of the run.
bool TrainRun::due(std::uint64_t parts) const noexcept {
  const std::uint64_t now = std::min(training_->steps(), plan_.steps),
                      before = training_->steps() - training_->instances();
  return now * parts / plan_.steps != before * parts / plan_.steps;
}

void TrainRun::train() {
  catch_interrupts();
  while (!over()) {
    training_->advance();
    if (due(kRecords)) record_and_examine();
    show(false);
    const std::chrono::duration<double> unsaved = Clock::now() - saved_;
    if (interrupted() || (options_.checkpoint_seconds > 0.0 && unsaved.count() > options_.checkpoint_seconds)) {
      checkpoint();
      write_state(runs::Status::running, "");
    }
    if (!interrupted()) continue;
    show(true);
    write_state(runs::Status::interrupted, "by a signal");
    stop(kFailed, std::format("interrupted at step {} of {}; the same command continues from there", training_->steps(),
                              plan_.steps));
  }
  show(true);
  checkpoint();
  write_state(stopped_because_.empty() ? runs::Status::finished : runs::Status::stopped, stopped_because_);
}

void TrainRun::record_and_examine() {
  if (const auto diverged = divergence()) return step_back(*diverged);
  record();
  if (!due(kExaminations)) return;
  if (const auto diverged = examine()) return step_back(*diverged);
  remember();
}

// Which figure or tensor is no longer finite.
std::optional<std::string> TrainRun::divergence() const {
  for (const auto& [name, value] : training_->learner().metrics())
    if (!std::isfinite(value)) return name + (std::isnan(value) ? " is not a number" : " is infinite");
  const nn::NetworkDescription network = training_->learner().export_network();
  if (!finite(network.mean) || !finite(network.scale)) return "the observations' normalisation is not finite";
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    if (!finite(network.layers[i].weight) || !finite(network.layers[i].bias))
      return std::format("layer {} of the policy is not finite", i + 1);
  for (const nn::RecurrentLayer& layer : network.recurrent)
    for (const auto* table : {&layer.input_weight, &layer.recurrent_weight, &layer.input_bias, &layer.recurrent_bias})
      if (!finite(*table)) return "a recurrent layer of the policy is not finite";
  return std::nullopt;
}

void TrainRun::step_back(const std::string& what) {
  const std::uint64_t step = training_->steps();
  if (setbacks_.size() >= options_.setbacks_max) {
    const std::string reason = std::format("{} at step {}", what, step);
    write_state(runs::Status::diverged, reason);
    stop(kFailed, std::format("training diverged: {}, after {}; {}. Lower the learning rates (--hyper) and give "
                              "another --out",
                              reason, counted(setbacks_.size(), "setback"),
                              best_.network.layers.empty()
                                  ? "no examination was reached"
                                  : "the best policy so far stands in " + (folder_ / "best.onnx").string()));
  }
  const double factor = kSetbackFactor * (setbacks_.empty() ? 1.0 : setbacks_.back().learning_rate_factor);
  setbacks_.push_back({step, sound_step_, what, factor});
  build();
  Archive sound = Archive::of_written(sound_);
  training_->archive(sound);
  or_stop(sound.result());
  std::println(stderr, "training diverged: {} at step {}; back to step {} and on with {:.3g} of the learning rates",
               what, step, sound_step_, factor);
  append({{"train/setbacks", static_cast<double>(setbacks_.size())}, {"train/learning_rate_factor", factor}});
  write_state(runs::Status::running, "");
}

void TrainRun::remember() {
  if (options_.setbacks_max == 0) return;
  Archive sound = Archive::writer(kSoundFormat);
  training_->archive(sound);
  sound_ = sound.written();
  sound_step_ = training_->steps();
}

void TrainRun::write_state(runs::Status status, const std::string& reason) {
  runs::State state{.status = status,
                    .reason = reason,
                    .step = training_->steps(),
                    .steps_planned = plan_.steps,
                    .updates = training_->updates(),
                    .seconds = seconds(),
                    .best_step = best_.step,
                    .setbacks = setbacks_,
                    .started = begun_,
                    .updated = WallClock().now()};
  if (!best_.network.layers.empty()) state.best_return = best_.mean_return;
  or_stop(runs::write_state(folder_, state));
}

void TrainRun::append(const std::vector<runs::Scalar>& scalars, const std::vector<runs::Scalar>& timing) {
  or_stop(log_->append(now_s(), training_->steps(), scalars, timing));
}

void TrainRun::record() {
  const rl::EpisodeMeans latest = training_->latest();
  std::vector<runs::Scalar> line;
  if (latest.episodes > 0) {
    line.push_back({"rollout/ep_rew_mean", latest.episode_return});
    line.push_back({"rollout/ep_len_mean", latest.length});
    for (std::size_t k = 0; k < latest.terms.size(); ++k)
      line.push_back({"rollout/terms/" + spec().reward_terms[k].name, latest.terms[k]});
  }
  for (const auto& [name, value] : training_->learner().metrics()) line.push_back({name, value});
  if (!training_->learner().metrics().contains("train/n_updates"))
    line.push_back({"train/n_updates", static_cast<double>(training_->updates())});
  const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
  const double fps = static_cast<double>(training_->steps() - steps_before_) / std::max(elapsed, 1e-3);
  append(line, {{"time/fps", fps}, {"time/time_elapsed", seconds()}});
}

// What is wrong, where the policy cannot act.
std::optional<std::string> TrainRun::examine() {
  nn::NetworkDescription network = training_->learner().export_network();
  const auto outcome = rl::evaluate_policy(network, *examination_, plan_.examination_seed);
  if (!outcome && outcome.error().code == Errc::invalid_argument) return outcome.error().message;
  const rl::PolicyReturns found = or_stop(outcome);
  const double mean_return = mean(found.returns), middle_return = interquartile_mean(found.returns);
  std::vector<runs::Scalar> line{{"eval/mean_reward", mean_return}, {"eval/mean_ep_length", mean(found.lengths)}};
  for (std::size_t k = 0; k < found.terms.size(); ++k)
    line.push_back({"eval/terms/" + spec().reward_terms[k].name, found.terms[k]});
  append(line);
  const bool better = best_.network.layers.empty() || middle_return > best_.middle_return;
  examinations_without_better_ = better ? 0 : examinations_without_better_ + 1;
  if (better) {
    best_ = {std::move(network), mean_return, middle_return, training_->steps()};
    const std::string comment = std::format("rltune {} step {}", options_.algorithm, best_.step);
    or_stop(write_file(folder_ / "best.onnx", or_stop(nn::to_onnx(best_.network, comment))));
  }
  if (options_.stop_at_return && mean_return >= *options_.stop_at_return)
    stopped_because_ =
        std::format("an examination returned {:.6g}, {:.6g} was asked for", mean_return, *options_.stop_at_return);
  else if (options_.patience > 0 && examinations_without_better_ >= options_.patience)
    stopped_because_ = std::format("no better policy in {}",
                                   counted(static_cast<std::size_t>(examinations_without_better_), "examination"));
  return std::nullopt;
}

// A line that is redrawn on a terminal, a line a tenth of the run elsewhere.
void TrainRun::show(bool final) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const double done = std::min(1.0, static_cast<double>(training_->steps()) / static_cast<double>(plan_.steps));
  const auto now = Clock::now();
  if (terminal && !final && now - shown_ < std::chrono::milliseconds(200)) return;
  const int tenth = static_cast<int>(10.0 * done);
  if (!terminal && tenth == announced_) return;
  announced_ = tenth;
  shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(training_->steps() - steps_before_) / std::max(elapsed, 1e-3);
  const double left = static_cast<double>(plan_.steps) * (1.0 - done) / std::max(rate, 1.0);
  std::string text =
      std::format("{} {:3.0f} %  {} steps  {:.0f} steps/s", bar(done), 100.0 * done, training_->steps(), rate);
  if (const rl::EpisodeMeans latest = training_->latest(); latest.episodes > 0)
    text += std::format("  return {:.2f}", latest.episode_return);
  if (!best_.network.layers.empty()) text += std::format("  best {:.2f}", best_.mean_return);
  text += std::format("  {} left", clock(left));
  std::print(stderr, "{}{}{}", terminal ? "\r" : "", text, terminal && !final ? "  " : "\n");
  std::fflush(stderr);
}

}  // namespace rltune::lab
