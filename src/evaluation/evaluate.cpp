#include "rltune/evaluation/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "parallel.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/statistics.hpp"

namespace rltune::evaluation {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<Violation> bands(const env::PlantSpec& plant) {
  std::vector<Violation> result;
  for (const env::Variable& limit : plant.limits) result.push_back({limit.name, limit.unit, limit.low, limit.high});
  return result;
}

std::vector<std::size_t> limited_measurements(const env::PlantSpec& plant) {
  std::vector<std::size_t> result;
  for (const env::Variable& limit : plant.limits) {
    const auto place = std::ranges::find(plant.measurements, limit.name, &env::Variable::name);
    RLTUNE_CHECK(place != plant.measurements.end());
    result.push_back(static_cast<std::size_t>(place - plant.measurements.begin()));
  }
  return result;
}

// Gathers an episode's figures step by step.
class Bookkeeper {
 public:
  Bookkeeper(const env::Simulation& simulation, std::uint64_t seed, bool trace)
      : plant_(simulation.plant()),
        limited_(limited_measurements(plant_)),
        hours_(plant_.sample_period_s / 3600.0),
        trace_(trace),
        last_inputs_(simulation.task().input_start) {
    episode_.seed = seed;
    episode_.terms.resize(plant_.reward_terms.size());
    episode_.violations = bands(plant_);
    for (const env::Variable& input : plant_.inputs)
      episode_.inputs.push_back({input.name, input.unit, 0.0, input.high, input.low, 0.0, 0, 0});
    decisions_us_.reserve(simulation.task().steps);
  }

  void before(const env::Simulation& simulation, const env::Snapshot& snapshot) {
    if (!trace_) return;
    append(episode_.trace.measurements, simulation.truth(0));
    append(episode_.trace.exogenous, snapshot.exogenous);
  }

  void decided(controllers::Outcome outcome, double us) {
    episode_.holds += outcome == controllers::Outcome::hold;
    episode_.faults += outcome == controllers::Outcome::fault;
    decisions_us_.push_back(us);
  }

  void after(const env::Simulation& simulation) {
    ++episode_.steps;
    episode_.total += simulation.reward(0);
    const auto terms = simulation.reward_terms(0);
    for (std::size_t t = 0; t < terms.size(); ++t) episode_.terms[t] += terms[t];
    judge_limits(simulation.truth(0));
    use_inputs(simulation.snapshot(0).inputs);
    if (!trace_) return;
    append(episode_.trace.inputs, simulation.snapshot(0).inputs);
    append(episode_.trace.terms, terms);
  }

  Episode close(env::Simulation& simulation) {
    for (InputUse& use : episode_.inputs) use.mean /= static_cast<double>(std::max<std::size_t>(episode_.steps, 1));
    episode_.failed = simulation.failed(0);
    episode_.final_states.assign(simulation.model().states().begin(), simulation.model().states().end());
    episode_.final_measurements.assign(simulation.truth(0).begin(), simulation.truth(0).end());
    if (trace_) append(episode_.trace.measurements, simulation.truth(0));
    if (!decisions_us_.empty()) {
      episode_.decision_us_p50 = quantile(decisions_us_, 0.5);
      episode_.decision_us_p99 = quantile(decisions_us_, 0.99);
    }
    return std::move(episode_);
  }

 private:
  static void append(std::vector<double>& rows, std::span<const double> row) {
    rows.insert(rows.end(), row.begin(), row.end());
  }

  void judge_limits(std::span<const double> truth) {
    for (std::size_t v = 0; v < limited_.size(); ++v) {
      Violation& limit = episode_.violations[v];
      const double value = truth[limited_[v]];
      const double distance = std::max({0.0, limit.low - value, value - limit.high});
      if (!(distance > 0.0)) continue;
      ++limit.steps;
      limit.unit_hours += distance * hours_;
      limit.worst = std::max(limit.worst, distance);
    }
  }

  void use_inputs(std::span<const double> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      InputUse& use = episode_.inputs[i];
      use.mean += inputs[i];
      use.minimum = std::min(use.minimum, inputs[i]);
      use.maximum = std::max(use.maximum, inputs[i]);
      use.travel += std::abs(inputs[i] - last_inputs_[i]);
      use.steps_low += inputs[i] <= plant_.inputs[i].low;
      use.steps_high += inputs[i] >= plant_.inputs[i].high;
      last_inputs_[i] = inputs[i];
    }
  }

  const env::PlantSpec& plant_;
  std::vector<std::size_t> limited_;
  double hours_;
  bool trace_;
  std::vector<double> last_inputs_;
  std::vector<double> decisions_us_;
  Episode episode_;
};

Result<Episode> run(controllers::Controller& controller, const Season& season, const EvaluationOptions& options) {
  env::SimulationOptions world{.task = options.task, .parameters = options.parameters, .instances = 1};
  world.starts = {season.start};
  world.forecast = options.forecast;
  world.randomisation = options.randomisation;
  world.randomisation.start_dates.reset();  // the season says when
  world.task.forecast_leads = std::max(world.task.forecast_leads, controller.forecast_leads());
  auto made = env::Simulation::make(std::move(world));
  if (!made) return std::unexpected(made.error());
  Episode episode = roll(controller, **made, season.seed, options.trace);
  episode.label = season.label;
  return episode;
}

}  // namespace

Episode roll(controllers::Controller& controller, env::Simulation& simulation, std::uint64_t seed, bool trace) {
  RLTUNE_CHECK(simulation.size() == 1 && simulation.task().forecast_leads >= controller.forecast_leads());
  simulation.reset(seed);
  Bookkeeper book(simulation, seed, trace);
  std::vector<double> wanted(simulation.plant().inputs.size());
  controller.reset(simulation.snapshot(0));
  while (!simulation.finished(0)) {
    const env::Snapshot snapshot = simulation.snapshot(0);
    book.before(simulation, snapshot);
    const auto asked = Clock::now();
    const controllers::Outcome outcome = controller.act(snapshot, wanted);
    book.decided(outcome, std::chrono::duration<double, std::micro>(Clock::now() - asked).count());
    if (outcome != controllers::Outcome::ok) std::ranges::copy(snapshot.inputs, wanted.begin());
    simulation.step(wanted);
    book.after(simulation);
  }
  return book.close(simulation);
}

Result<std::vector<Episode>> evaluate(const ControllerFactory& factory, const std::vector<Season>& seasons,
                                      const EvaluationOptions& options) {
  std::vector<Result<Episode>> results(seasons.size(), fail(Errc::cancelled, "not run"));
  parallel_for(seasons.size(), options.workers, [&](unsigned, std::size_t index) {
    auto controller = factory();
    results[index] =
        controller ? run(**controller, seasons[index], options) : Result<Episode>(std::unexpected(controller.error()));
  });
  std::vector<Episode> episodes;
  for (Result<Episode>& result : results) {
    if (!result) return std::unexpected(result.error());
    episodes.push_back(std::move(*result));
  }
  return episodes;
}

Result<std::vector<double>> record_inputs(const ControllerFactory& factory, const Season& season,
                                          EvaluationOptions options) {
  options.trace = true;
  auto episodes = evaluate(factory, {season}, options);
  if (!episodes) return std::unexpected(episodes.error());
  return std::move(episodes->front().trace.inputs);
}

}  // namespace rltune::evaluation
