// One interlock and one reward, evaluated: several of each stand in a control cycle.
#include <benchmark/benchmark.h>

#include "rltune/config/expression.hpp"

namespace rltune::config {
namespace {

void evaluate(benchmark::State& state, const char* text) {
  const std::vector<std::string> names{"temperature", "humidity", "heating", "vents"};
  auto expression = Expression::compile(text, names);
  if (!expression) return state.SkipWithError(expression.error().message.c_str());
  std::vector<double> values{21.0, 70.0, 55.0, 0.4};
  const std::vector<double> previous{20.5, 71.0, 50.0, 0.5};
  for (auto _ : state) {
    values[0] += 1e-6;
    benchmark::DoNotOptimize(expression->evaluate(values, previous));
  }
}
BENCHMARK_CAPTURE(evaluate, interlock, "temperature < 38 and not(humidity - 10 * vents > 95)");
BENCHMARK_CAPTURE(evaluate, reward,
                  "3 * (temperature - previous(temperature)) - 0.02 * heating - max(0, humidity - 80)");

}  // namespace
}  // namespace rltune::config
