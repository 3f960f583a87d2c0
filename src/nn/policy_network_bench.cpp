// Inference at batch 1. RLTUNE_ISA=baseline|v3|avx512 picks the instruction set.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <numeric>

#include "rltune/base/random.hpp"
#include "rltune/nn/policy_network.hpp"

namespace rltune::nn {
namespace {

NetworkDescription make(std::initializer_list<std::size_t> widths, Activation hidden,
                        Activation output = Activation::tanh) {
  Random random(1);
  const std::vector<std::size_t> shape(widths);
  NetworkDescription description{std::vector<float>(shape[0], 0.1F), std::vector<float>(shape[0], 1.5F), 5.0F, {}};
  for (std::size_t l = 0; l + 1 < shape.size(); ++l) {
    DenseLayer layer{
        shape[l], shape[l + 1], {}, std::vector<float>(shape[l + 1], 0.01F), l + 2 == shape.size() ? output : hidden};
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

// Single decisions, each timed by itself; what two readings of the clock take between them (their median) is taken off
// and given as clock_ns.
void decide(benchmark::State& state, const NetworkDescription& description) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kDecisions = 200'000;
  auto network = PolicyNetwork::create(description);
  if (!network) return state.SkipWithError(network.error().message.c_str());
  std::vector<float> observation(network->inputs(), 0.3F), action(network->outputs());
  std::vector<double> times(kDecisions);
  const auto measure = [&](auto&& body) {
    for (double& time : times) {
      const auto start = Clock::now();
      body();
      time = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    }
    std::ranges::sort(times);
  };
  measure([] {});
  const double clock = times[kDecisions / 2];
  for (auto _ : state) {
    measure([&] {
      network->act(observation, action);
      benchmark::DoNotOptimize(action.data());
      observation[0] = action[0];
    });
  }
  const auto quantile = [&](double q) { return times[static_cast<std::size_t>(q * (kDecisions - 1))] - clock; };
  state.counters["mean_ns"] = std::accumulate(times.begin(), times.end(), 0.0) / kDecisions - clock;
  state.counters["p50_ns"] = quantile(0.5);
  state.counters["p99_ns"] = quantile(0.99);
  state.counters["p99_9_ns"] = quantile(0.999);
  state.counters["clock_ns"] = clock;
}

// As PPO leaves them, the output clipped; and as SAC and TD3 do, the output squashed.
BENCHMARK_CAPTURE(decide, relu_4_64_64_2, make({4, 64, 64, 2}, Activation::relu, Activation::identity))->Iterations(5);
BENCHMARK_CAPTURE(decide, tanh_4_64_64_2, make({4, 64, 64, 2}, Activation::tanh, Activation::identity))->Iterations(5);
BENCHMARK_CAPTURE(decide, squashed_4_64_64_2, make({4, 64, 64, 2}, Activation::relu))->Iterations(5);

BENCHMARK_CAPTURE(infer, relu_4_64_64_2, make({4, 64, 64, 2}, Activation::relu));
BENCHMARK_CAPTURE(infer, tanh_4_64_64_2, make({4, 64, 64, 2}, Activation::tanh));
BENCHMARK_CAPTURE(infer, silu_4_64_64_2, make({4, 64, 64, 2}, Activation::silu));
BENCHMARK_CAPTURE(infer, relu_20_64_64_3, make({20, 64, 64, 3}, Activation::relu));
BENCHMARK_CAPTURE(infer, relu_23_256_256_3, make({23, 256, 256, 3}, Activation::relu));

}  // namespace
}  // namespace rltune::nn
