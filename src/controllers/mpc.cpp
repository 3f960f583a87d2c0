// Model predictive control by sampling: the improved cross-entropy method (iCEM, Pinneri et al. 2020, arXiv
// 2008.06389) over a batch of the plant's own model. Each decision it draws sequences of moves whose noise is
// correlated in time, keeps the best, and applies the first move of the best sequence it has seen; the next decision
// starts from that plan, shifted by one period. A projected gradient step by finite differences over the same batch
// sharpens the plan. The objective is the plant's reward over the horizon; beyond the forecast the last row stands.
//
// Its model has the plant's nominal parameters, its forecast is whatever the Snapshot holds, its state an estimate
// from the measurements. It plans for milliseconds to seconds a decision; its memory is all made at construction.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kinds.hpp"
#include "limited_controller.hpp"
#include "rltune/base/random.hpp"
#include "rltune/env/plants.hpp"
#include "state_estimator.hpp"

namespace rltune::controllers {
namespace {

struct MpcOptions {
  std::size_t horizon = 12;
  std::size_t population = 74;
  std::size_t iterations = 10;
  std::size_t elites = 8;
  std::size_t gradient_steps = 6;
  double spread = 0.5;       // standard deviation of the first draw, in half ranges of a move
  double correlation = 0.3;  // of the noise between neighbouring periods
  double momentum = 0.1;
  std::uint64_t seed = 1;
};

class MpcController final : public LimitedController {
 public:
  MpcController(std::unique_ptr<env::PlantModel> model, std::unique_ptr<env::PlantModel> estimator,
                const MpcOptions& options)
      : LimitedController(model->spec()),
        options_(options),
        model_(std::move(model)),
        estimator_(std::move(estimator)),
        inputs_count_(model_->spec().inputs.size()),
        exogenous_count_(model_->spec().exogenous.size()),
        terms_count_(model_->spec().reward_terms.size()),
        size_(options.horizon * inputs_count_),
        random_(options.seed),
        moves_(size_ * options.population),
        returns_(options.population),
        order_(options.population),
        mean_(size_),
        spread_(size_),
        best_(size_),
        gradient_(size_),
        elite_moves_(size_ * options.elites),
        applied_(inputs_count_ * options.population),
        before_(applied_.size()),
        exogenous_((options.horizon + 1) * exogenous_count_),
        exogenous_batch_(exogenous_count_ * options.population),
        terms_(terms_count_ * options.population),
        last_exogenous_(exogenous_count_) {}

  std::string_view name() const noexcept override { return "mpc"; }
  std::size_t forecast_leads() const noexcept override { return options_.horizon; }

  void reset(const env::Snapshot& snapshot) noexcept override {
    random_ = Random(options_.seed);
    estimator_.reset(snapshot.measurements);
    for (std::size_t k = 0; k < size_; ++k) best_[k] = keep(k % inputs_count_, snapshot.inputs);
    kept_elites_ = 0;
    started_ = false;
  }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    if (started_) estimator_.update(snapshot.inputs, last_exogenous_, snapshot.measurements);
    std::ranges::copy(snapshot.exogenous, last_exogenous_.begin());
    look_ahead(snapshot);
    first_ = !started_;
    if (started_) shift();
    started_ = true;
    plan(snapshot.inputs);
    for (std::size_t i = 0; i < inputs_count_; ++i) inputs[i] = move(i, snapshot.inputs[i], best_[i]);
  }

 private:
  // The input that a normalised move in [-1, 1] leads to: a share of the largest step, or a place in the range.
  double move(std::size_t input, double previous, double share) const noexcept {
    const double step = limits_.step_max(input);
    const double low = limits_.low(input), high = limits_.high(input);
    return step > 0.0 ? std::clamp(previous + share * step, low, high) : low + (high - low) * (share + 1.0) / 2.0;
  }
  // The move that changes nothing.
  double keep(std::size_t input, std::span<const double> inputs) const noexcept {
    if (limits_.step_max(input) > 0.0) return 0.0;
    const double low = limits_.low(input), high = limits_.high(input);
    return std::clamp(2.0 * (inputs[input] - low) / (high - low) - 1.0, -1.0, 1.0);
  }

  void look_ahead(const env::Snapshot& snapshot) noexcept {
    const std::size_t known = snapshot.forecast.size() / std::max<std::size_t>(exogenous_count_, 1);
    std::ranges::copy(snapshot.exogenous, exogenous_.begin());
    for (std::size_t h = 1; h <= options_.horizon; ++h) {
      const auto to = exogenous_.begin() + static_cast<std::ptrdiff_t>(h * exogenous_count_);
      const std::span<const double> row =
          known == 0 ? snapshot.exogenous
                     : snapshot.forecast.subspan((std::min(h, known) - 1) * exogenous_count_, exogenous_count_);
      std::ranges::copy(row, to);
    }
  }

  // Yesterday's plan, one period on. Its new end repeats the old one's place, or moves nothing.
  void shift() noexcept {
    const auto advance = [this](std::span<double> plan) {
      std::copy(plan.begin() + static_cast<std::ptrdiff_t>(inputs_count_), plan.end(), plan.begin());
      for (std::size_t i = 0; i < inputs_count_; ++i)
        if (limits_.step_max(i) > 0.0) plan[size_ - inputs_count_ + i] = 0.0;
    };
    advance(best_);
    for (std::size_t e = 0; e < kept_elites_; ++e) advance(std::span(elite_moves_).subspan(e * size_, size_));
  }

  void plan(std::span<const double> inputs) noexcept {
    std::ranges::copy(best_, mean_.begin());
    std::ranges::fill(spread_, options_.spread);
    best_return_ = -std::numeric_limits<double>::infinity();
    for (std::size_t iteration = 0; iteration < options_.iterations; ++iteration) {
      draw(iteration);
      roll(inputs);
      learn();
    }
    for (std::size_t step = 0; step < options_.gradient_steps; ++step) climb(inputs, step % 2 == 1);
  }

  double& at(std::size_t k, std::size_t instance) noexcept { return moves_[k * options_.population + instance]; }

  // Instance 0 is the best plan so far, 1 the mean, the next are kept elites, the rest are drawn.
  void draw(std::size_t iteration) noexcept {
    std::size_t instance = 0;
    for (std::size_t k = 0; k < size_; ++k) at(k, 0) = best_[k];
    ++instance;
    if (iteration > 0 && instance < options_.population) {
      for (std::size_t k = 0; k < size_; ++k) at(k, instance) = mean_[k];
      ++instance;
    }
    for (std::size_t e = 0; e < kept_elites_ && instance < options_.population; ++e, ++instance)
      for (std::size_t k = 0; k < size_; ++k) at(k, instance) = elite_moves_[e * size_ + k];
    const double fresh = std::sqrt(1.0 - options_.correlation * options_.correlation);
    for (; instance < options_.population; ++instance)
      for (std::size_t i = 0; i < inputs_count_; ++i) {
        double noise = random_.normal();
        for (std::size_t k = i; k < size_; k += inputs_count_) {
          at(k, instance) = std::clamp(mean_[k] + spread_[k] * noise, -1.0, 1.0);
          noise = options_.correlation * noise + fresh * random_.normal();
        }
      }
  }

  // The return of every instance's moves over the horizon.
  void roll(std::span<const double> inputs) noexcept {
    const std::size_t n = options_.population;
    std::span<double> states = model_->states();
    for (std::size_t s = 0; s < estimator_.states().size(); ++s)
      std::fill_n(states.begin() + static_cast<std::ptrdiff_t>(s * n), n, estimator_.states()[s]);
    for (std::size_t i = 0; i < inputs_count_; ++i)
      std::fill_n(before_.begin() + static_cast<std::ptrdiff_t>(i * n), n, inputs[i]);
    std::ranges::fill(returns_, 0.0);
    spread_exogenous(0);
    for (std::size_t h = 0; h < options_.horizon; ++h) {
      for (std::size_t i = 0; i < inputs_count_; ++i)
        for (std::size_t b = 0; b < n; ++b)
          applied_[i * n + b] = move(i, before_[i * n + b], at(h * inputs_count_ + i, b));
      model_->step(applied_, exogenous_batch_);
      spread_exogenous(h + 1);
      model_->reward(applied_, before_, exogenous_batch_, first_ && h == 0, terms_);
      for (std::size_t t = 0; t < terms_count_; ++t)
        for (std::size_t b = 0; b < n; ++b) returns_[b] += terms_[t * n + b];
      std::swap(applied_, before_);
    }
    for (double& value : returns_)
      if (!std::isfinite(value)) value = -std::numeric_limits<double>::max();
  }

  void spread_exogenous(std::size_t row) noexcept {
    for (std::size_t e = 0; e < exogenous_count_; ++e)
      std::fill_n(exogenous_batch_.begin() + static_cast<std::ptrdiff_t>(e * options_.population), options_.population,
                  exogenous_[row * exogenous_count_ + e]);
  }

  void take(std::size_t instance) noexcept {
    if (!(returns_[instance] > best_return_)) return;
    best_return_ = returns_[instance];
    for (std::size_t k = 0; k < size_; ++k) best_[k] = at(k, instance);
  }

  void learn() noexcept {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::partial_sort(order_, order_.begin() + static_cast<std::ptrdiff_t>(options_.elites),
                              [this](std::size_t a, std::size_t b) {
                                return returns_[a] > returns_[b] || (returns_[a] == returns_[b] && a < b);
                              });
    take(order_[0]);
    const auto count = static_cast<double>(options_.elites);
    for (std::size_t k = 0; k < size_; ++k) {
      double sum = 0.0, squares = 0.0;
      for (std::size_t e = 0; e < options_.elites; ++e) sum += at(k, order_[e]);
      for (std::size_t e = 0; e < options_.elites; ++e)
        squares += (at(k, order_[e]) - sum / count) * (at(k, order_[e]) - sum / count);
      mean_[k] = options_.momentum * mean_[k] + (1.0 - options_.momentum) * sum / count;
      spread_[k] = options_.momentum * spread_[k] + (1.0 - options_.momentum) * std::sqrt(squares / count);
    }
    kept_elites_ = std::max<std::size_t>(1, options_.elites / 3);
    for (std::size_t e = 0; e < kept_elites_; ++e)
      for (std::size_t k = 0; k < size_; ++k) elite_moves_[e * size_ + k] = at(k, order_[e]);
  }

  // Finite differences in slices of the population, then a line search along the projected gradient over all of it.
  // Scaled: in the metric of the last round's variances, where the moves' scales differ.
  void climb(std::span<const double> inputs, bool scaled) noexcept {
    constexpr double kStep = 1e-4;
    const std::size_t n = options_.population;
    for (std::size_t done = 0; done < size_; done += n - 1) {
      const std::size_t count = std::min(n - 1, size_ - done);
      for (std::size_t k = 0; k < size_; ++k)
        std::fill_n(moves_.begin() + static_cast<std::ptrdiff_t>(k * n), n, best_[k]);
      for (std::size_t j = 0; j < count; ++j) at(done + j, j + 1) += best_[done + j] > 0.0 ? -kStep : kStep;
      roll(inputs);
      for (std::size_t j = 0; j < count; ++j)
        gradient_[done + j] = (returns_[j + 1] - returns_[0]) / (at(done + j, j + 1) - best_[done + j]);
    }
    double largest = 0.0;
    for (std::size_t k = 0; k < size_; ++k) {
      if ((best_[k] >= 1.0 && gradient_[k] > 0.0) || (best_[k] <= -1.0 && gradient_[k] < 0.0)) gradient_[k] = 0.0;
      if (scaled) gradient_[k] *= spread_[k] * spread_[k];
      largest = std::max(largest, std::abs(gradient_[k]));
    }
    if (!(largest > 0.0) || !std::isfinite(largest)) return;
    double length = 2.0 / largest;
    for (std::size_t b = 0; b < n; ++b, length *= 0.8)
      for (std::size_t k = 0; k < size_; ++k) at(k, b) = std::clamp(best_[k] + length * gradient_[k], -1.0, 1.0);
    roll(inputs);
    for (std::size_t b = 0; b < n; ++b) take(b);
  }

  MpcOptions options_;
  std::unique_ptr<env::PlantModel> model_;
  StateEstimator estimator_;
  std::size_t inputs_count_, exogenous_count_, terms_count_, size_;  // size_: moves of one plan, [period][input]
  Random random_;
  std::vector<double> moves_;  // [move][instance]
  std::vector<double> returns_;
  std::vector<std::size_t> order_;
  std::vector<double> mean_, spread_, best_, gradient_, elite_moves_;
  std::vector<double> applied_, before_, exogenous_, exogenous_batch_, terms_, last_exogenous_;
  double best_return_ = 0.0;
  std::size_t kept_elites_ = 0;
  bool started_ = false, first_ = true;
};

std::vector<ControllerParameter> parameters(const env::PlantSpec&) {
  return {
      {"horizon", "periods", 12, 1, 96, "how far it looks ahead"},
      {"population", "1", 74, 8, 1024, "sequences drawn an iteration", false},
      {"iterations", "1", 10, 0, 100, "rounds of drawing a decision", false},
      {"elites", "1", 8, 2, 64, "best sequences that shape the next round"},
      {"gradient_steps", "1", 6, 0, 50, "projected gradient steps after the last round"},
      {"spread", "1", 0.5, 0.05, 1.0, "standard deviation of the first round, in half ranges of a move"},
      {"correlation", "1", 0.3, 0.0, 0.99, "of the noise between neighbouring periods"},
      {"momentum", "1", 0.1, 0.0, 0.9, "share of the last round's mean and spread that stays"},
      {"seed", "1", 1, 0, 1e9, "of its random numbers", false},
  };
}

Result<MpcOptions> read(const ParameterValues& values) {
  for (const ControllerParameter& parameter : parameters({})) {
    const double value = values.at(parameter.name);
    if (value < parameter.low || value > parameter.high)
      return fail(Errc::invalid_argument, "controller 'mpc': parameter '" + parameter.name + "' must be within " +
                                              std::to_string(parameter.low) + " and " + std::to_string(parameter.high));
  }
  const auto whole = [&](const char* name) { return static_cast<std::size_t>(std::lround(values.at(name))); };
  MpcOptions options{whole("horizon"),         whole("population"),     whole("iterations"),
                     whole("elites"),          whole("gradient_steps"), values.at("spread"),
                     values.at("correlation"), values.at("momentum"),   whole("seed")};
  options.elites = std::min(options.elites, options.population);
  return options;
}

Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  const auto options = read(values);
  if (!options) return std::unexpected(options.error());
  env::Overrides overrides;
  for (const env::Parameter& parameter : plant.parameters) overrides[parameter.name] = parameter.value;
  auto model = env::make_plant(plant.name, options->population, overrides);
  if (!model) return std::unexpected(model.error());
  auto estimator = env::make_plant(plant.name, plant.states.size() + 1, overrides);
  if (!estimator) return std::unexpected(estimator.error());
  return std::make_unique<MpcController>(std::move(*model), std::move(*estimator), *options);
}

}  // namespace

KindEntry mpc_kind() {
  return {"mpc",      "predictive control by sampling over the plant's model, with the forecast it is given",
          true,       [](const env::PlantSpec& plant) { return !plant.noise_state.has_value(); },
          parameters, make};
}

}  // namespace rltune::controllers
