#include "train_run.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <format>
#include <fstream>
#include <print>

#include "common.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/env/control_environment.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "rltune/training/v1";
constexpr std::uint64_t kRecords = 200;  // lines of metrics in a run
constexpr std::uint64_t kExaminations = 20;
constexpr std::size_t kEnvironments = 16;  // each begins elsewhere in the season

std::vector<std::unique_ptr<env::Environment>> training_environments(const TrainPlan& plan) {
  const std::size_t count = std::min(kEnvironments, plan.instances);
  std::vector<std::unique_ptr<env::Environment>> environments;
  for (std::size_t e = 0; e < count; ++e) {
    env::SimulationOptions options = plan.training;
    options.instances = plan.instances / count + (e < plan.instances % count ? 1 : 0);
    environments.push_back(or_stop(env::make_control_environment(std::move(options))));
  }
  return environments;
}

std::unique_ptr<env::Environment> examination_environment(const TrainPlan& plan) {
  env::SimulationOptions options = plan.training;
  options.parameters = plan.world.overrides;
  options.instances = plan.examination.size();
  options.starts.clear();
  for (const evaluation::Season& season : plan.examination) options.starts.push_back(season.start);
  options.starts_in_turn = true;
  return or_stop(env::make_control_environment(std::move(options)));
}

void archive_network(Archive& archive, nn::NetworkDescription& network) {
  archive.resized(network.mean);
  archive.resized(network.scale);
  archive.value(network.clip);
  std::uint64_t layers = network.layers.size();
  archive.value(layers);
  if (!archive.result()) return;
  network.layers.resize(layers);
  for (nn::DenseLayer& layer : network.layers) {
    archive.value(layer.inputs);
    archive.value(layer.outputs);
    archive.value(layer.activation);
    archive.resized(layer.weight);
    archive.resized(layer.bias);
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
    : plan_(plan), options_(options), folder_(options.out), started_(Clock::now()), saved_(started_) {
  const auto workers = std::make_shared<rl::Workers>(options.threads);
  auto environments = training_environments(plan);
  const env::EnvironmentSpec& spec = environments.front()->spec();
  auto learner = or_stop(rl::make_learner(options.algorithm,
                                          {.observation = spec.observation,
                                           .actions = spec.action.size(),
                                           .instances = plan.instances,
                                           .seed = options.seed,
                                           .steps_planned = plan.steps,
                                           .workers = workers},
                                          plan.hyperparameters));
  training_ = std::make_unique<rl::Training>(std::move(environments), std::move(learner), workers, options.seed);
  examination_ = examination_environment(plan);
  restore(folder_ / "checkpoint", options.resume);
  steps_before_ = training_->steps();
}

TrainRun::~TrainRun() = default;

double TrainRun::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - started_).count();
}

void TrainRun::restore(const std::filesystem::path& path, bool required) {
  if (!std::filesystem::exists(path)) {
    if (required) stop(kFailed, std::format("there is nothing to resume: {} does not exist", path.string()));
    or_stop(write_file(folder_ / "run.json", plan_.description.dump(2) + "\n"));
    or_stop(write_file(folder_ / "metrics.jsonl", ""));
    return;
  }
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
  // Lines after the checkpoint come again: the same ones.
  const std::string lines = or_stop(read_file(folder_ / "metrics.jsonl"));
  if (lines.size() < metrics_bytes_) stop(kFailed, "metrics.jsonl is shorter than its checkpoint says");
  or_stop(write_file(folder_ / "metrics.jsonl", std::string_view(lines).substr(0, metrics_bytes_)));
  if (training_->steps() < plan_.steps)
    std::println(stderr, "continuing {} at step {}", folder_.string(), training_->steps());
}

void TrainRun::archive(Archive& archive) {
  double spent = seconds();
  archive.value(spent);
  if (archive.reading()) seconds_before_ = spent;
  archive.value(metrics_bytes_);
  archive_network(archive, best_.network);
  archive.value(best_.mean_return);
  archive.value(best_.step);
  training_->archive(archive);
}

void TrainRun::checkpoint() {
  const std::string lines = or_stop(read_file(folder_ / "metrics.jsonl"));
  or_stop(write_file(folder_ / "metrics.jsonl", lines.substr(0, metrics_bytes_) + metrics_));
  metrics_bytes_ += metrics_.size();
  metrics_.clear();
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
  while (training_->steps() < plan_.steps) {
    training_->advance();
    if (due(kRecords)) {
      refuse_divergence();
      record();
    }
    if (due(kExaminations)) examine();
    show(false);
    const std::chrono::duration<double> unsaved = Clock::now() - saved_;
    if (interrupted() || (options_.checkpoint_seconds > 0.0 && unsaved.count() > options_.checkpoint_seconds))
      checkpoint();
    if (!interrupted()) continue;
    show(true);
    stop(kFailed, std::format("interrupted at step {} of {}; the same command continues from there", training_->steps(),
                              plan_.steps));
  }
  show(true);
  checkpoint();
}

void TrainRun::refuse_divergence() {
  for (const auto& [name, value] : training_->learner().metrics())
    if (!std::isfinite(value))
      stop(kFailed,
           std::format("training diverged: {} is {} at step {}; the best policy so far stands in {}. Lower the "
                       "learning rates (--hyper) and give another --out",
                       name, value, training_->steps(), (folder_ / "best.onnx").string()));
}

// Readers see a line at once; with the next checkpoint it is there to stay.
void TrainRun::append(const ordered_json& line) {
  metrics_ += line.dump() + "\n";
  std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << line.dump() << "\n";
}

void TrainRun::record() {
  const rl::EpisodeMeans latest = training_->latest();
  ordered_json line{{"time/total_timesteps", training_->steps()}};
  if (latest.episodes > 0) {
    line["rollout/ep_rew_mean"] = latest.episode_return;
    line["rollout/ep_len_mean"] = latest.length;
    for (std::size_t k = 0; k < latest.terms.size(); ++k)
      line["rollout/terms/" + reward_terms()[k].name] = latest.terms[k];
  }
  for (const auto& [name, value] : training_->learner().metrics()) line[name] = value;
  append(line);
}

void TrainRun::examine() {
  nn::NetworkDescription network = training_->learner().export_network();
  const auto outcome = or_stop(rl::evaluate_policy(network, *examination_, plan_.examination.front().seed));
  const double mean_return = mean(outcome.returns);
  ordered_json line{{"time/total_timesteps", training_->steps()}, {"eval/mean_reward", mean_return}};
  for (std::size_t k = 0; k < outcome.terms.size(); ++k)
    line["eval/terms/" + reward_terms()[k].name] = outcome.terms[k];
  append(line);
  if (!best_.network.layers.empty() && mean_return <= best_.mean_return) return;
  best_ = {std::move(network), mean_return, training_->steps()};
  const std::string comment = std::format("rltune {} step {}", options_.algorithm, best_.step);
  or_stop(write_file(folder_ / "best.onnx", or_stop(nn::to_onnx(best_.network, comment))));
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
