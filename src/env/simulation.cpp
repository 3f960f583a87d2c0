#include "rltune/env/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::env {
namespace {

// Streams of an instance: seasons, parameters and sensors draw apart, so that switching one on moves no other.
enum Stream : std::uint8_t { episode_stream, parameter_stream, sensor_stream, streams };
constexpr std::uint64_t kDriftStreams = 1ULL << 40;  // beyond those of every instance

template <typename T>
std::span<T> row_of_matrix(std::vector<T>& matrix, std::size_t row, std::size_t columns) noexcept {
  return std::span(matrix).subspan(row * columns, columns);
}

// Normal draws stop at three standard deviations, so that a checked distribution stays physical.
double draw(const Distribution& distribution, Random& random) noexcept {
  if (distribution.kind == Distribution::Kind::uniform) return random.uniform(distribution.first, distribution.second);
  if (distribution.kind == Distribution::Kind::either)
    return random.uniform() < 0.5 ? distribution.first : distribution.second;
  return distribution.first + distribution.second * std::clamp(random.normal(), -3.0, 3.0);
}

std::size_t last_start_row(const ExogenousSeries& series, const Task& task) noexcept {
  const std::size_t needed = task.steps * series.stride + 1;
  return series.rows() >= needed ? series.rows() - needed : 0;
}

bool fits(const ExogenousSeries& series, const Task& task) noexcept {
  return series.rows() > task.steps * series.stride;
}

TimePoint time_of(const ExogenousSeries& series, std::size_t row) noexcept {
  return *series.start + from_seconds(static_cast<double>(row) * series.row_period_s);
}

bool inside(const StartWindow& window, TimePoint time) noexcept {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  const std::array<unsigned, 2> day{static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())};
  if (window.from <= window.to) return window.from <= day && day <= window.to;
  return day >= window.from || day <= window.to;
}

Result<> keep_starts_inside(const StartWindow& window, std::vector<Start>& starts) {
  for (const Start& start : starts)
    if (!start.series->start)
      return fail(Errc::invalid_argument,
                  std::format("start_dates needs weather with times; '{}' has none", start.series->name));
  std::erase_if(starts, [&](const Start& start) { return !inside(window, time_of(*start.series, start.row)); });
  if (starts.empty()) return fail(Errc::invalid_argument, "no episode may start within start_dates in this weather");
  return {};
}

Result<> check_starts(const SimulationOptions& options, const PlantSpec& plant) {
  if (options.starts.empty())
    return fail(Errc::invalid_argument, std::format("the plant '{}' needs weather to start an episode in", plant.name));
  for (const Start& start : options.starts) {
    const ExogenousSeries& series = *start.series;
    if (series.variables != plant.exogenous.size())
      return fail(Errc::mismatch, std::format("'{}' has {} columns; the plant '{}' takes {}", series.name,
                                              series.variables, plant.name, plant.exogenous.size()));
    if (!fits(series, options.task) || start.row > last_start_row(series, options.task))
      return fail(Errc::invalid_argument, std::format("an episode of {} steps from row {} does not fit into '{}'",
                                                      options.task.steps, start.row, series.name));
  }
  return {};
}

}  // namespace

std::vector<Start> starts_within(const std::shared_ptr<const ExogenousSeries>& series, const Task& task,
                                 std::size_t every_steps) {
  std::vector<Start> starts;
  if (!fits(*series, task)) return starts;
  for (std::size_t row = 0; row <= last_start_row(*series, task); row += every_steps * series->stride)
    starts.push_back({series, row});
  return starts;
}

Result<Start> start_at(const std::shared_ptr<const ExogenousSeries>& series, const Task& task, TimePoint time) {
  if (!series->start) return fail(Errc::invalid_argument, std::format("the rows of '{}' have no times", series->name));
  if (!fits(*series, task))
    return fail(Errc::invalid_argument,
                std::format("'{}' is shorter than an episode of {} steps", series->name, task.steps));
  const double row = std::round(to_seconds(time - *series->start) / series->row_period_s);
  const std::size_t last = last_start_row(*series, task);
  if (row < 0.0 || row > static_cast<double>(last))
    return fail(Errc::invalid_argument, std::format("an episode of {} steps may start in '{}' from {} to {}, not {}",
                                                    task.steps, series->name, format_rfc3339(*series->start),
                                                    format_rfc3339(time_of(*series, last)), format_rfc3339(time)));
  return Start{series, static_cast<std::size_t>(row)};
}

Result<std::unique_ptr<Simulation>> Simulation::make(SimulationOptions options) {
  auto model = make_plant(options.task.plant, options.instances, options.parameters);
  if (!model) return std::unexpected(model.error());
  const PlantSpec& plant = (*model)->spec();
  if (auto done = check_randomisation(options.randomisation, plant); !done) return std::unexpected(done.error());
  if (options.starts.empty() && options.task.schedule) options.starts = {{options.task.schedule, 0}};
  if (auto done = check_starts(options, plant); !done) return std::unexpected(done.error());
  if (options.randomisation.start_dates)
    if (auto done = keep_starts_inside(*options.randomisation.start_dates, options.starts); !done)
      return std::unexpected(done.error());
  return std::unique_ptr<Simulation>(new Simulation(std::move(options), std::move(*model)));
}

Simulation::Simulation(SimulationOptions options, std::unique_ptr<PlantModel> model)
    : options_(std::move(options)),
      model_(std::move(model)),
      forecaster_(options_.forecast, model_->spec().sample_period_s, options_.task.forecast_leads) {
  const std::size_t n = size();
  const std::size_t slots = options_.randomisation.action_delay_steps[1] + 1;
  for (auto* vector : {&start_, &episode_, &step_, &delay_}) vector->assign(n, 0);
  for (auto* vector : {&finished_, &failed_}) vector->assign(n, 0);
  for (auto* vector : {&inputs_, &previous_inputs_, &commands_, &applied_rows_}) vector->assign(n * input_count(), 0.0);
  for (auto* vector : {&exogenous_, &weather_, &offset_}) vector->assign(n * exogenous_count(), 0.0);
  for (auto* vector : {&measured_, &truth_, &sensed_}) vector->assign(n * measurement_count(), 0.0);
  for (auto* vector : {&terms_by_term_, &terms_}) vector->assign(n * term_count(), 0.0);
  factor_.assign(n * exogenous_count(), 1.0);
  rewards_.assign(n, 0.0);
  frozen_states_.assign(model_->states().size(), 0.0);
  forecast_.assign(n * forecaster_.leads() * exogenous_count(), 0.0);
  delayed_.assign(n * slots * input_count(), 0.0);
  silent_.assign(n * measurement_count(), 0);
  parameters_.assign(model_->parameters().begin(), model_->parameters().end());
  resolve_randomisation();
  reset(0);
}

void Simulation::resolve_randomisation() {
  const Randomisation& randomisation = options_.randomisation;
  const PlantSpec& spec = model_->spec();
  for (std::size_t p = 0; p < spec.parameters.size(); ++p) {
    const auto named = randomisation.parameters.find(spec.parameters[p].name);
    if (spec.parameters[p].uncertain) uncertain_.push_back(p);
    if (named != randomisation.parameters.end())
      factors_.push_back({p, named->second});
    else if (spec.parameters[p].uncertain && randomisation.all_parameters)
      factors_.push_back({p, *randomisation.all_parameters});
  }
  for (const Variable& measurement : spec.measurements) {
    const auto noise = randomisation.sensor_noise.find(measurement.name);
    const auto dropout = randomisation.sensor_dropouts.find(measurement.name);
    noise_.push_back(noise == randomisation.sensor_noise.end() ? SensorNoise{} : noise->second);
    dropouts_.push_back(dropout == randomisation.sensor_dropouts.end() ? Dropout{} : dropout->second);
  }
  for (std::size_t v = 0; v < spec.exogenous.size(); ++v) {
    const auto found = randomisation.exogenous.find(spec.exogenous[v].name);
    if (found != randomisation.exogenous.end()) shifts_.push_back({v, found->second});
  }
  if (std::ranges::any_of(shifts_, [](const Shift& shift) { return shift.shift.drift.has_value(); }))
    ramps_.resize(size() * shifts_.size());
}

void Simulation::reset(std::uint64_t seed) noexcept {
  episode_random_.clear();
  parameter_random_.clear();
  sensor_random_.clear();
  drift_random_.clear();
  for (std::size_t i = 0; i < size(); ++i) {
    episode_random_.emplace_back(seed, i * streams + episode_stream);
    parameter_random_.emplace_back(seed, i * streams + parameter_stream);
    sensor_random_.emplace_back(seed, i * streams + sensor_stream);
    if (!ramps_.empty()) drift_random_.emplace_back(seed, kDriftStreams + i);
    episode_[i] = 0;
  }
  std::ranges::fill(finished_, 1);
  restart_finished();
}

void Simulation::restart_finished() noexcept {
  for (std::size_t i = 0; i < size(); ++i)
    if (finished_[i] != 0) prepare(i);
  model_->measure(measured_);
  for (std::size_t i = 0; i < size(); ++i) {
    if (finished_[i] == 0) continue;
    finished_[i] = 0;
    sense(i);
  }
}

void Simulation::prepare(std::size_t i) noexcept {
  const std::size_t count = options_.starts.size();
  start_[i] = options_.starts_in_turn ? (i + episode_[i] * size()) % count : episode_random_[i].below(count);
  ++episode_[i];
  step_[i] = 0;
  failed_[i] = 0;
  const auto& range = options_.randomisation.action_delay_steps;
  delay_[i] = range[0] + episode_random_[i].below(range[1] - range[0] + 1);
  draw_shifts(i);
  draw_parameters(i);
  for (std::size_t s = 0; s < options_.task.state_start.size(); ++s)
    model_->states()[s * size() + i] = options_.task.state_start[s];
  if (const auto noise = model_->spec().noise_state)
    model_->states()[*noise * size() + i] = static_cast<double>(episode_random_[i].bits() >> 11);
  for (std::size_t u = 0; u < input_count(); ++u) {
    inputs_[u * size() + i] = options_.task.input_start[u];
    commands_[i * input_count() + u] = applied_rows_[i * input_count() + u] = options_.task.input_start[u];
  }
  std::ranges::fill(row_of_matrix(silent_, i, measurement_count()), 0);
  std::ranges::fill(row_of_matrix(terms_, i, term_count()), 0.0);
  rewards_[i] = 0.0;
  take_exogenous(i);
}

void Simulation::draw_shifts(std::size_t i) noexcept {
  for (const Shift& shift : shifts_) {
    factor_[i * exogenous_count() + shift.variable] = draw(shift.shift.factor, episode_random_[i]);
    offset_[i * exogenous_count() + shift.variable] = draw(shift.shift.offset, episode_random_[i]);
  }
  if (!ramps_.empty()) std::ranges::fill(row_of_matrix(ramps_, i, shifts_.size()), Ramp{});
}

// One step along each ramp, or along a new one.
void Simulation::drift(std::size_t i) noexcept {
  if (ramps_.empty()) return;
  for (std::size_t k = 0; k < shifts_.size(); ++k) {
    if (!shifts_[k].shift.drift) continue;
    const Drift& how = *shifts_[k].shift.drift;
    Ramp& ramp = ramps_[i * shifts_.size() + k];
    Random& random = drift_random_[i];
    if (ramp.left == 0) {
      ramp.left = how.steps[0] + random.below(how.steps[1] - how.steps[0] + 1);
      ramp.slope = draw(how.slope, random);
      if (random.uniform() < how.flat) ramp.slope = 0.0;
    }
    --ramp.left;
    const std::size_t v = shifts_[k].variable, at = i * exogenous_count() + v;
    const Variable& variable = model_->spec().exogenous[v];
    const double base = factor_[at] * start(i).series->row(row_of(i))[v];
    const double wanted = base + offset_[at] + ramp.slope, reached = std::clamp(wanted, variable.low, variable.high);
    if (reached != wanted) ramp.slope = -ramp.slope;
    offset_[at] = reached - base;
  }
}

void Simulation::draw_parameters(std::size_t i) noexcept {
  const PlantSpec& spec = model_->spec();
  for (const Factor& factor : factors_) {
    const double value = spec.parameters[factor.parameter].value * draw(factor.distribution, parameter_random_[i]);
    parameters_[factor.parameter * size() + i] = value;
    model_->parameters()[factor.parameter * size() + i] = value;
  }
}

void Simulation::draw_parameter_noise() noexcept {
  const double half = options_.randomisation.parameter_noise / 2;
  if (half <= 0.0) return;
  const std::span<double> current = model_->parameters();
  for (std::size_t i = 0; i < size(); ++i) {
    if (finished_[i] != 0) continue;
    for (const std::size_t p : uncertain_)
      current[p * size() + i] = parameters_[p * size() + i] * (1.0 + parameter_random_[i].uniform(-half, half));
  }
}

std::size_t Simulation::row_of(std::size_t i) const noexcept {
  return start(i).row + step_[i] * start(i).series->stride;
}

// Clips to bounds and rate, and sends the command on its way.
void Simulation::command(std::size_t i, std::span<const double> wanted) noexcept {
  const PlantSpec& spec = model_->spec();
  const std::size_t slots = options_.randomisation.action_delay_steps[1] + 1;
  double* queue = delayed_.data() + i * slots * input_count();
  for (std::size_t u = 0; u < input_count(); ++u) {
    double& commanded = commands_[i * input_count() + u];
    const double limit = spec.input_step_max[u];
    double value = std::isfinite(wanted[u]) ? wanted[u] : commanded;
    if (limit > 0.0) value = std::clamp(value, commanded - limit, commanded + limit);
    commanded = std::clamp(value, spec.inputs[u].low, spec.inputs[u].high);
    queue[step_[i] % slots * input_count() + u] = commanded;
    const std::size_t at = u * size() + i;
    const double reached = step_[i] >= delay_[i] ? queue[(step_[i] - delay_[i]) % slots * input_count() + u]
                                                 : options_.task.input_start[u];
    previous_inputs_[at] = step_[i] == 0 ? reached : inputs_[at];  // no move can be charged on the first step
    inputs_[at] = applied_rows_[i * input_count() + u] = reached;
  }
}

void Simulation::take_exogenous(std::size_t i) noexcept {
  const std::size_t variables = exogenous_count();
  const ExogenousSeries& series = *start(i).series;
  const std::span<const double> row = series.row(row_of(i));
  for (std::size_t v = 0; v < variables; ++v)
    weather_[i * variables + v] = exogenous_[v * size() + i] = shifted(i, v, row[v]);
  if (forecaster_.leads() == 0) return;
  const std::span<double> ahead = row_of_matrix(forecast_, i, forecaster_.leads() * variables);
  forecaster_.forecast(series, row_of(i), ahead);
  if (shifts_.empty()) return;
  for (std::size_t lead = 0; lead < forecaster_.leads(); ++lead)
    for (std::size_t v = 0; v < variables; ++v)
      ahead[lead * variables + v] = shifted(i, v, ahead[lead * variables + v]);
}

// A shifted value stays what the variable can be: no humidity of 110 %.
double Simulation::shifted(std::size_t i, std::size_t v, double value) const noexcept {
  if (shifts_.empty()) return value;
  const Variable& variable = model_->spec().exogenous[v];
  const std::size_t at = i * exogenous_count() + v;
  return std::clamp(factor_[at] * value + offset_[at], variable.low, variable.high);
}

void Simulation::sense(std::size_t i) noexcept {
  const std::size_t count = measurement_count();
  Random& random = sensor_random_[i];
  for (std::size_t m = 0; m < count; ++m) {
    double value = truth_[i * count + m] = measured_[m * size() + i];
    const SensorNoise& noise = noise_[m];
    if (noise.relative > 0.0) value *= 1.0 + noise.relative * random.normal();
    if (noise.absolute > 0.0) value += noise.absolute * random.normal();
    if (dropouts_[m].probability > 0.0) {
      // Both numbers are drawn whether or not a dropout begins: the draws do not depend on the past.
      const bool begins = random.uniform() < dropouts_[m].probability;
      const auto [shortest, longest] = dropouts_[m].steps;
      const std::size_t length = shortest + random.below(longest - shortest + 1);
      std::size_t& left = silent_[i * count + m];
      if (left == 0 && begins && step_[i] > 0) left = length;
      if (left > 0) {
        --left;
        continue;
      }
    }
    sensed_[i * count + m] = value;
  }
}

void Simulation::step(std::span<const double> wanted) noexcept {
  RLTUNE_CHECK(wanted.size() == size() * input_count());
  const bool any_finished = std::ranges::find(finished_, 1) != finished_.end();
  for (std::size_t i = 0; i < size(); ++i)
    if (finished_[i] == 0) command(i, wanted.subspan(i * input_count(), input_count()));
  draw_parameter_noise();
  if (any_finished) std::ranges::copy(model_->states(), frozen_states_.begin());
  model_->step(inputs_, exogenous_);
  for (std::size_t i = 0; i < size(); ++i) {
    if (finished_[i] != 0) continue;
    ++step_[i];
    drift(i);
    take_exogenous(i);
  }
  model_->measure(measured_);
  model_->reward(inputs_, previous_inputs_, exogenous_, false, terms_by_term_);
  for (std::size_t i = 0; i < size(); ++i) {
    if (finished_[i] != 0) {
      for (std::size_t s = i; s < frozen_states_.size(); s += size()) model_->states()[s] = frozen_states_[s];
      std::ranges::fill(row_of_matrix(terms_, i, term_count()), 0.0);
      rewards_[i] = 0.0;
      continue;
    }
    bool failed = false;
    for (std::size_t m = 0; m < measurement_count(); ++m) failed = failed || !std::isfinite(measured_[m * size() + i]);
    if (!failed) sense(i);
    conclude(i, failed);
  }
}

void Simulation::conclude(std::size_t i, bool failed) noexcept {
  double total = 0.0;
  for (std::size_t k = 0; k < term_count(); ++k) {
    const double term = failed ? model_->spec().reward_terms[k].low : terms_by_term_[k * size() + i];
    terms_[i * term_count() + k] = term;
    total += term;
  }
  rewards_[i] = total;
  failed_[i] = failed ? 1 : 0;
  finished_[i] = failed || step_[i] >= options_.task.steps ? 1 : 0;
}

void Simulation::archive(Archive& archive) {
  archive.values(model_->parameters());
  archive.values(model_->states());
  for (auto* randoms : {&episode_random_, &parameter_random_, &sensor_random_})
    for (Random& random : *randoms) archive.random(random);
  for (Random& random : drift_random_) archive.random(random);
  archive.values(std::span(ramps_));
  for (auto* vector : {&start_, &episode_, &step_, &delay_, &silent_}) archive.values(std::span(*vector));
  for (auto* vector : {&finished_, &failed_}) archive.values(std::span(*vector));
  for (auto* vector :
       {&rewards_, &parameters_, &inputs_, &previous_inputs_, &exogenous_, &measured_, &terms_by_term_, &commands_,
        &applied_rows_, &truth_, &sensed_, &weather_, &forecast_, &terms_, &delayed_, &factor_, &offset_})
    archive.values(std::span(*vector));
  for (const std::size_t start : start_)
    if (start >= options_.starts.size()) return archive.refuse("an episode began where this weather has no start");
}

Snapshot Simulation::snapshot(std::size_t i) const noexcept {
  const std::size_t ahead = forecaster_.leads() * exogenous_count();
  return {std::span(sensed_).subspan(i * measurement_count(), measurement_count()),
          std::span(commands_).subspan(i * input_count(), input_count()),
          std::span(weather_).subspan(i * exogenous_count(), exogenous_count()),
          std::span(forecast_).subspan(i * ahead, ahead),
          static_cast<double>(step_[i]) / static_cast<double>(options_.task.steps)};
}

}  // namespace rltune::env
