// Inference at batch 1. RLTUNE_ISA=baseline|v3|avx512 picks the instruction set.
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>

#include "rltune/base/random.hpp"
#include "rltune/nn/policy_network.hpp"

namespace rltune::nn {
namespace {

NetworkDescription make(std::initializer_list<std::size_t> widths, Activation hidden) {
  Random random(1);
  const std::vector<std::size_t> shape(widths);
  NetworkDescription description{std::vector<float>(shape[0], 0.1F), std::vector<float>(shape[0], 1.5F), 5.0F, {}};
  for (std::size_t l = 0; l + 1 < shape.size(); ++l) {
    DenseLayer layer{shape[l],
                     shape[l + 1],
                     {},
                     std::vector<float>(shape[l + 1], 0.01F),
                     l + 2 == shape.size() ? Activation::tanh : hidden};
    for (std::size_t i = 0; i < layer.inputs * layer.outputs; ++i)
      layer.weight.push_back(static_cast<float>(random.normal() / std::sqrt(static_cast<double>(layer.inputs))));
    description.layers.push_back(std::move(layer));
  }
  return description;
}

void infer(benchmark::State& state, const NetworkDescription& description) {
  auto network = PolicyNetwork::create(description);
  if (!network) return state.SkipWithError(network.error().message.c_str());
  std::vector<float> observation(network->inputs(), 0.3F), action(network->outputs());
  for (auto _ : state) {
    network->act(observation, action);
    benchmark::DoNotOptimize(action.data());
    observation[0] = action[0];  // each call waits for the one before: latency, not throughput
  }
  // The same on every instruction set: what the runner of the benchmarks compares.
  std::vector<float> probe(network->inputs());
  Random random(7);
  std::uint32_t bits = 2166136261U;
  for (int i = 0; i < 1000; ++i) {
    for (float& value : probe) value = static_cast<float>(random.uniform(-3.0, 3.0));
    network->act(probe, action);
    for (const float value : action) bits = (bits ^ std::bit_cast<std::uint32_t>(value)) * 16777619U;
  }
  state.counters["bits"] = static_cast<double>(bits);
}

BENCHMARK_CAPTURE(infer, relu_4_64_64_2, make({4, 64, 64, 2}, Activation::relu));
BENCHMARK_CAPTURE(infer, tanh_4_64_64_2, make({4, 64, 64, 2}, Activation::tanh));
BENCHMARK_CAPTURE(infer, silu_4_64_64_2, make({4, 64, 64, 2}, Activation::silu));
BENCHMARK_CAPTURE(infer, relu_20_64_64_3, make({20, 64, 64, 3}, Activation::relu));
BENCHMARK_CAPTURE(infer, relu_23_256_256_3, make({23, 256, 256, 3}, Activation::relu));

}  // namespace
}  // namespace rltune::nn
