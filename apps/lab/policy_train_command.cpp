// rltune policy train: learn on a twin, keep the best policy, examine it, write the artifact.
#include <chrono>
#include <cstdio>
#include <format>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/policy/artifact.hpp"
#include "train_run.hpp"
#include "train_validation.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

policy::Artifact artifact_of(const TrainPlan& plan, const TrainOptions& options, const TrainRun& run) {
  const World& world = plan.world;
  policy::Manifest manifest;
  manifest.name = std::filesystem::path(options.out).lexically_normal().filename().string();
  manifest.created = format_rfc3339(std::chrono::floor<std::chrono::seconds>(WallClock().now()));
  manifest.plant = world.plant.name;
  manifest.plant_parameters_sha256 = env::parameters_sha256(world.plant);
  manifest.plant_overrides = world.overrides;
  manifest.sample_period_s = world.plant.sample_period_s;
  manifest.measurements = world.plant.measurements;
  manifest.inputs = world.plant.inputs;
  manifest.exogenous = world.plant.exogenous;
  manifest.forecast_leads = world.task.forecast_leads;
  manifest.observation = world.task.observation;
  manifest.action = world.task.action;
  manifest.algorithm = options.algorithm;
  for (const rl::Hyperparameter& hyperparameter : plan.hyperparameters.all())
    manifest.hyperparameters[hyperparameter.name] = hyperparameter.value;
  manifest.seed = options.seed;
  manifest.steps = run.best().step;
  manifest.provenance = {
      {"weather", world.weather},
      {"season", options.start.empty() ? "every day of the weather" : "from " + options.start},
      {"forecast", options.world.forecast},
      {"parameter_noise", std::format("{} per {}", options.world.parameter_noise, options.world.per)},
      {"observation_noise", std::format("{}", options.world.observation_noise)},
      {"rltune", RLTUNE_VERSION},
      {"machine", processor()}};
  if (!options.world.randomisation.empty())
    manifest.provenance["randomisation"] = or_stop(read_file(options.world.randomisation));
  return {.manifest = std::move(manifest), .network = run.best().network};
}

ordered_json terms_json(const rl::EpisodeMeans& means, const env::Space& terms) {
  ordered_json object = ordered_json::object();
  for (std::size_t k = 0; k < terms.size(); ++k) object[terms[k].name] = means.terms[k];
  return object;
}

void print_terms(const rl::EpisodeMeans& means, const env::Space& terms) {
  if (means.episodes == 0) return;
  std::println("while exploring, mean of the last {} episodes: return {:.4f}", means.episodes, means.episode_return);
  for (std::size_t k = 0; k < terms.size(); ++k)
    std::println("  {:<22} {:>10.4f} {}", terms[k].name, means.terms[k], terms[k].unit);
}

void train_command(const TrainOptions& options) {
  const TrainPlan plan = make_plan(options);
  TrainRun run(plan, options);
  run.train();
  policy::Artifact artifact = artifact_of(plan, options, run);
  ordered_json report = nullptr;
  if (options.no_validation) {
    artifact.manifest.validation.reasons = {"FAILED: not validated (--no-validation)"};
  } else {
    Examined examined = examine_policy(artifact, plan, options);
    artifact.manifest.validation = std::move(examined.validation);
    report = std::move(examined.report);
  }
  or_stop(policy::save_artifact(options.out, artifact));
  const policy::Validation& verdict = artifact.manifest.validation;
  if (options.json) {
    print_json({{"policy", options.out},
                {"sha256", artifact.sha256},
                {"plant", plan.world.plant.name},
                {"algorithm", options.algorithm},
                {"seed", options.seed},
                {"steps", run.steps()},
                {"updates", run.updates()},
                {"seconds", run.seconds()},
                {"best_step", run.best().step},
                {"best_evaluation_return", run.best().mean_return},
                {"exploring_return", run.latest().episode_return},
                {"exploring_terms", terms_json(run.latest(), run.reward_terms())},
                {"validation", report}});
    return;
  }
  print_terms(run.latest(), run.reward_terms());
  std::println("best by evaluation: {:.4f} at step {}", run.best().mean_return, run.best().step);
  std::println("validation {} ({})", verdict.passed ? "passed" : "FAILED", plan.validation_weather);
  for (const std::string& reason : verdict.reasons) std::println("  {}", reason);
  std::println("policy written to {}", options.out);
}

}  // namespace

void add_policy_train_command(CLI::App& policy) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App& command = *policy.add_subcommand("train", "Learn a policy on a twin, examine it, write it to a folder");
  add_train_options(command, *options);
  command.footer(
      "Running the same command again continues an interrupted run.\n"
      "Examples:\n"
      "  rltune policy train --plant lettuce --out policies/lettuce\n"
      "  rltune policy train --plant lettuce --algorithm sac --seed 3 --hyper gamma=0.98 --out policies/sac3 --json\n"
      "  rltune policy train --plant lettuce --weather weather.csv.gz --start 2014-02-09 --parameter-noise 0 \\\n"
      "    --forecast perfect --forecast-leads 0 --out policies/published");
  command.callback([options] { train_command(*options); });
}

}  // namespace rltune::lab
