#include "train_validation.hpp"

#include <unistd.h>

#include <cstdio>
#include <format>
#include <print>

#include "common.hpp"
#include "entrant.hpp"
#include "evaluation_json.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/controllers/controller_file.hpp"
#include "rltune/evaluation/tune.hpp"
#include "rltune/policy/policy_controller.hpp"

namespace rltune::lab {
namespace {

// Predictive control is tunable, but as many steps as a policy's would take it days. A plant with neither of the
// others is held.
std::string baseline_controller(const env::PlantSpec& plant) {
  std::string name = "hold";
  for (const controllers::ControllerKind& kind : controllers::controller_kinds(plant))
    if (kind.tunable && kind.name != "mpc" && (name == "hold" || kind.name == "rule")) name = kind.name;
  return name;
}

void show_tuning(const std::string& name, const evaluation::TuneProgress& progress) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::print(stderr, "\rtuning the {} to compare with {:3.0f} %  ", name,
             100.0 * static_cast<double>(progress.steps) / static_cast<double>(progress.steps_budget));
  std::fflush(stderr);
}

// Written beside the policy, so that anyone can repeat the comparison.
Entrant baseline(const TrainPlan& plan, const TrainOptions& options) {
  if (!options.baseline.empty()) return find_entrant(options.baseline, {}, plan.world.plant);
  const std::string name = baseline_controller(plan.world.plant);
  if (name == "hold") return find_entrant(name, {}, plan.world.plant);
  evaluation::TuneOptions how{.controller = name, .world = plan.training};
  how.world.parameters = plan.world.overrides;  // the rule is tuned for what is scored, without the policy's margins
  // As many steps on the plant as the policy was learned from: of data, those that it holds.
  how.steps_budget = plan.dataset ? plan.dataset->transitions() : plan.steps;
  how.stretch_budget = true;
  how.seed = options.seed;
  how.workers = static_cast<unsigned>(options.threads);
  how.progress = [&name](const evaluation::TuneProgress& progress) { show_tuning(name, progress); };
  how.cancelled = interrupted;
  const evaluation::Tuned tuned = or_stop(evaluation::tune(how));
  if (::isatty(STDERR_FILENO) != 0) std::println(stderr, "");
  if (interrupted()) stop(kFailed, "interrupted while tuning; the same command goes on with the trained policy");
  controllers::ControllerFile file{plan.world.plant.name, name, tuned.parameters, {}};
  file.tuning = {{"weather", plan.world.weather},
                 {"steps", std::format("{}", tuned.steps)},
                 {"seed", std::format("{}", options.seed)},
                 {"mean_return", std::format("{}", tuned.mean_return)}};
  const std::string path = (std::filesystem::path(options.out) / "baseline.yaml").string();
  or_stop(controllers::save_controller_file(path, file));
  return find_entrant(path, {}, plan.world.plant);
}

// The same rule tuned with another seed differs by more.
constexpr double kSameViolations = 0.01;

double total_unit_hours(const evaluation::Summary& summary, const std::string& unit) {
  double hours = 0.0;
  for (const evaluation::Violation& violation : summary.violations)
    if (violation.unit == unit) hours += violation.unit_hours;
  return hours;
}

void judge(const evaluation::Summary& policy, const evaluation::Summary& other, const evaluation::PairedGain& gain,
           const std::string& name, policy::Validation& verdict) {
  const auto demand = [&verdict](bool kept, std::string reason) {
    verdict.passed = verdict.passed && kept;
    verdict.reasons.push_back((kept ? "" : "FAILED: ") + std::move(reason));
  };
  verdict.passed = true;
  demand(gain.mean_interval.low > 0.0,
         std::format("gain over the tuned {} {:.4g}, 95 % from {:.4g} to {:.4g}, better in {} of {} seasons", name,
                     gain.mean, gain.mean_interval.low, gain.mean_interval.high, gain.wins, gain.episodes));
  demand(gain.unit_hours <= (1.0 + kSameViolations) * gain.unit_hours_against,
         std::format("out of its limits for {:.4g} band-hours, the tuned {} for {:.4g}", gain.unit_hours, name,
                     gain.unit_hours_against));
  demand(policy.faults + policy.failures == 0,
         std::format("{} decisions and {} seasons failed", policy.faults, policy.failures));
  verdict.figures = {{"return", policy.mean},
                     {"return_" + name, other.mean},
                     {"gain", gain.mean},
                     {"gain_low", gain.mean_interval.low},
                     {"gain_high", gain.mean_interval.high},
                     {"seasons", static_cast<double>(gain.episodes)},
                     {"violations_band_hours", gain.unit_hours},
                     {"violations_band_hours_" + name, gain.unit_hours_against},
                     {"violations_degree_hours", total_unit_hours(policy, "degC")},
                     {"violations_degree_hours_" + name, total_unit_hours(other, "degC")}};
}

}  // namespace

Examined examine_policy(const policy::Artifact& artifact, const TrainPlan& plan, const TrainOptions& options) {
  const Entrant other = baseline(plan, options);
  evaluation::EvaluationOptions how = plan.world.evaluation();
  how.workers = static_cast<unsigned>(options.threads);
  how.task.forecast_leads = std::max(how.task.forecast_leads, other.forecast_leads);
  const auto make = [&artifact] { return policy::make_policy_controller(artifact); };
  const auto ours = or_stop(evaluation::evaluate(make, plan.validation, how));
  const auto theirs = or_stop(evaluation::evaluate(other.make, plan.validation, how));
  const evaluation::Summary policy = evaluation::summarize(ours), against = evaluation::summarize(theirs);
  const evaluation::PairedGain gain = or_stop(evaluation::compare(ours, theirs));
  Examined examined;
  judge(policy, against, gain, other.kind, examined.validation);
  examined.report = {{"passed", examined.validation.passed},
                     {"reasons", examined.validation.reasons},
                     {"weather", plan.validation_weather},
                     {"seasons", gain.episodes},
                     {"policy", to_json(policy, plan.world.plant)},
                     {"against", to_json(against, plan.world.plant)},
                     {"gain", to_json(gain)}};
  examined.report["against"]["controller"] = other.kind;
  return examined;
}

}  // namespace rltune::lab
