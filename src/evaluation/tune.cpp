#include "rltune/evaluation/tune.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>
#include <map>

#include "cma_es.hpp"
#include "parallel.hpp"
#include "rltune/base/check.hpp"
#include "rltune/evaluation/evaluate.hpp"

namespace rltune::evaluation {
namespace {

constexpr double kSpread = 0.2;           // of the first generation, as a share of each range
constexpr double kDecidingShare = 0.125;  // of the budget

using Point = std::vector<double>;  // in the unit cube

class Tuner {
 public:
  Tuner(const TuneOptions& options, env::PlantSpec plant, controllers::ControllerKind kind)
      : options_(options), plant_(std::move(plant)), kind_(std::move(kind)) {
    for (const auto& parameter : kind_.parameters)
      if (!parameter.tunable) fixed_[parameter.name] = parameter.value;
    std::erase_if(kind_.parameters, [](const auto& parameter) { return !parameter.tunable; });
    for (const auto& [name, value] : options_.start)
      if (fixed_.contains(name)) fixed_[name] = value;
    options_.world.instances = 1;
    options_.world.starts_in_turn = false;
    if (options_.workers == 0) options_.workers = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned worker = 0; worker < options_.workers; ++worker) simulations_.emplace_back();
  }

  Result<Tuned> run() {
    const Point start = to_point();
    CmaEs search(start, kSpread, options_.seed);
    const std::uint64_t season_steps = options_.world.task.steps;
    const std::uint64_t generation_steps = search.population() * options_.seasons_per_candidate * season_steps;
    if (options_.stretch_budget)
      options_.steps_budget = std::max(
          options_.steps_budget,
          static_cast<std::uint64_t>(std::ceil(2.0 * static_cast<double>(generation_steps) / (1.0 - kDecidingShare))) +
              1);
    const auto searching =
        static_cast<std::uint64_t>(static_cast<double>(options_.steps_budget) * (1.0 - kDecidingShare));
    if (searching < 2 * generation_steps)
      return fail(Errc::invalid_argument,
                  std::format("a budget of {} steps is too small: '{}' needs {} for a generation and wants two",
                              options_.steps_budget, kind_.name, generation_steps));
    std::vector<Point> finalists{start};
    while (tuned_.steps + generation_steps <= searching && !cancelled()) {
      const std::vector<Point> candidates = search.ask();
      auto scores = score(candidates, options_.seasons_per_candidate, options_.cancelled);
      if (!scores && scores.error().code == Errc::cancelled) break;
      if (!scores) return std::unexpected(scores.error());
      search.tell(*scores);
      report(*scores);
      const auto best = static_cast<std::size_t>(std::ranges::max_element(*scores) - scores->begin());
      remember(finalists, candidates[best]);
    }
    finalists.insert(finalists.begin() + 1, search.mean());
    return decide(finalists);
  }

 private:
  bool cancelled() const { return options_.cancelled && options_.cancelled(); }

  Point to_point() const {
    Point point;
    for (const auto& parameter : kind_.parameters) {
      const auto given = options_.start.find(parameter.name);
      const double value = given == options_.start.end() ? parameter.value : given->second;
      point.push_back(std::clamp((value - parameter.low) / (parameter.high - parameter.low), 0.0, 1.0));
    }
    return point;
  }

  controllers::ParameterValues to_values(const Point& point) const {
    controllers::ParameterValues values = fixed_;
    for (std::size_t i = 0; i < point.size(); ++i) {
      const auto& parameter = kind_.parameters[i];
      values[parameter.name] = parameter.low + point[i] * (parameter.high - parameter.low);
    }
    return values;
  }

  // The last few best ones: earlier generations' are worse and would cost deciding seasons.
  static void remember(std::vector<Point>& finalists, const Point& candidate) {
    constexpr std::size_t kRemembered = 4;
    finalists.push_back(candidate);
    if (finalists.size() > 1 + kRemembered) finalists.erase(finalists.begin() + 1);
  }

  // Mean returns over `seasons` seasons that all of them meet and nobody has met before. Error cancelled: not all of
  // them were played.
  Result<std::vector<double>> score(const std::vector<Point>& points, std::size_t seasons,
                                    const std::function<bool()>& cancelled = {}) {
    std::vector<double> totals(points.size() * seasons);
    std::vector<Error> errors(options_.workers);
    parallel_for(totals.size(), options_.workers, [&](unsigned worker, std::size_t index) {
      if (cancelled && cancelled()) {
        errors[worker] = {Errc::cancelled, "stopped"};
        return;
      }
      const auto total = play(worker, points[index / seasons], next_season_ + index % seasons);
      if (total)
        totals[index] = std::isfinite(*total) ? *total : -std::numeric_limits<double>::max();
      else
        errors[worker] = total.error();
    });
    for (const Error& error : errors)
      if (!error.message.empty()) return std::unexpected(error);
    next_season_ += seasons;
    tuned_.steps += totals.size() * options_.world.task.steps;
    std::vector<double> means(points.size(), 0.0);
    for (std::size_t index = 0; index < totals.size(); ++index)
      means[index / seasons] += totals[index] / static_cast<double>(seasons);
    return means;
  }

  Result<double> play(unsigned worker, const Point& point, std::uint64_t season) {
    auto controller = controllers::make_controller(kind_.name, plant_, to_values(point));
    if (!controller) return std::unexpected(controller.error());
    // A candidate may look further ahead than those before it.
    if (!simulations_[worker] || simulations_[worker]->task().forecast_leads < (*controller)->forecast_leads()) {
      env::SimulationOptions world = options_.world;
      world.task.forecast_leads = std::max(world.task.forecast_leads, (*controller)->forecast_leads());
      auto made = env::Simulation::make(std::move(world));
      if (!made) return std::unexpected(made.error());
      simulations_[worker] = std::move(*made);
    }
    return roll(**controller, *simulations_[worker], options_.seed * 1'000'003 + season).total;
  }

  void report(const std::vector<double>& scores) {
    double sum = 0.0;
    for (double value : scores) sum += value;
    tuned_.history.push_back(
        {tuned_.steps, options_.steps_budget, sum / static_cast<double>(scores.size()), std::ranges::max(scores)});
    if (options_.progress) options_.progress(tuned_.history.back());
  }

  Result<Tuned> decide(const std::vector<Point>& finalists) {
    const std::uint64_t left = options_.steps_budget - std::min(options_.steps_budget, tuned_.steps);
    constexpr std::size_t kSeasonsWhenCancelled = 4;
    tuned_.seasons = std::max<std::size_t>(1, left / (finalists.size() * options_.world.task.steps));
    if (cancelled()) tuned_.seasons = std::min(tuned_.seasons, kSeasonsWhenCancelled);
    const auto scores = score(finalists, tuned_.seasons);
    if (!scores) return std::unexpected(scores.error());
    const auto best = static_cast<std::size_t>(std::ranges::max_element(*scores) - scores->begin());
    tuned_.parameters = to_values(finalists[best]);
    tuned_.mean_return = (*scores)[best];
    tuned_.mean_return_start = scores->front();
    return std::move(tuned_);
  }

  TuneOptions options_;
  env::PlantSpec plant_;
  controllers::ControllerKind kind_;    // its tunable parameters
  controllers::ParameterValues fixed_;  // the others
  std::vector<std::unique_ptr<env::Simulation>> simulations_;
  std::uint64_t next_season_ = 0;
  Tuned tuned_;
};

}  // namespace

Result<Tuned> tune(const TuneOptions& options) {
  auto model = env::make_plant(options.world.task.plant, 1, options.world.parameters);
  if (!model) return std::unexpected(model.error());
  const env::PlantSpec plant = (*model)->spec();
  // Says what is wrong with the name or the start before any work.
  if (auto made = controllers::make_controller(options.controller, plant, options.start); !made)
    return std::unexpected(made.error());
  for (controllers::ControllerKind& kind : controllers::controller_kinds(plant))
    if (kind.name == options.controller) {
      if (!kind.tunable)
        return fail(Errc::invalid_argument, std::format("the controller '{}' has nothing to tune", kind.name));
      return Tuner(options, plant, std::move(kind)).run();
    }
  return fail(Errc::not_found, "unknown controller '" + options.controller + "'");
}

}  // namespace rltune::evaluation
