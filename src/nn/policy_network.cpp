#include "rltune/nn/policy_network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <format>
#include <limits>
#include <new>

#include "network_description.hpp"
#include "policy_kernel.hpp"
#include "rltune/base/check.hpp"

namespace rltune::nn {
namespace {

struct InstructionSet {
  std::string_view name;
  kernel::Run run;
  bool available;
};

// Best first.
std::array<InstructionSet, 3> instruction_sets() noexcept {
#if defined(__x86_64__)
  const bool v3 = __builtin_cpu_supports("avx2") != 0;
  const bool avx512 = v3 && __builtin_cpu_supports("avx512f") != 0;
#else
  const bool v3 = false;
  const bool avx512 = false;
#endif
  return {
      {{"avx512", kernel::run_avx512, avx512}, {"v3", kernel::run_v3, v3}, {"baseline", kernel::run_baseline, true}}};
}

// RLTUNE_ISA forces one, for comparisons; otherwise the best that this machine has.
Result<kernel::Run> choose_kernel() {
  const char* const forced = std::getenv("RLTUNE_ISA");
  for (const InstructionSet& set : instruction_sets()) {
    if (forced != nullptr && set.name != forced) continue;
    if (set.available) return set.run;
    if (forced != nullptr)
      return fail(Errc::invalid_argument, std::format("RLTUNE_ISA={}: this machine does not have it", forced));
  }
  return fail(Errc::invalid_argument, std::format("RLTUNE_ISA={}: valid are baseline, v3 and avx512", forced));
}

constexpr std::size_t padded(std::size_t count, std::size_t to) noexcept { return (count + to - 1) / to * to; }

struct Free {
  void operator()(float* memory) const noexcept { ::operator delete[](memory, std::align_val_t(64)); }
};
using Buffer = std::unique_ptr<float[], Free>;

Buffer make_buffer(std::size_t count) {
  Buffer buffer(static_cast<float*>(::operator new[](count * sizeof(float), std::align_val_t(64))));
  std::fill_n(buffer.get(), count, 0.0F);
  return buffer;
}

Buffer padded_copy(std::span<const float> values) {
  Buffer copy = make_buffer(padded(values.size(), kernel::kLaneGroup));
  std::ranges::copy(values, copy.get());
  return copy;
}

// Panels of kPanel outputs, [input][output] inside, so that a kernel reads memory in one direction.
Buffer packed_weights(const DenseLayer& layer) {
  const std::size_t outputs = padded(layer.outputs, kernel::kLaneGroup);
  Buffer packed = make_buffer(layer.inputs * outputs);
  for (std::size_t o = 0; o < layer.outputs; ++o) {
    const std::size_t panel = o / kernel::kPanel * kernel::kPanel;
    const std::size_t width = std::min(kernel::kPanel, outputs - panel);
    for (std::size_t i = 0; i < layer.inputs; ++i)
      packed[panel * layer.inputs + i * width + (o - panel)] = layer.weight[o * layer.inputs + i];
  }
  return packed;
}

kernel::Squash squash_of(Activation activation) noexcept {
  switch (activation) {
    case Activation::identity:
      return kernel::Squash::identity;
    case Activation::relu:
      return kernel::Squash::relu;
    case Activation::tanh:
      return kernel::Squash::tanh;
    case Activation::silu:
      return kernel::Squash::silu;
  }
  return kernel::Squash::identity;
}

bool finite(std::span<const float> values) noexcept {
  bool bad = false;
  for (const float value : values) bad |= (std::bit_cast<std::uint32_t>(value) & 0x7f800000U) == 0x7f800000U;
  return !bad;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Machines differ in the bits of the NaN that an overflow inside makes; ours is one.
float squashed(float value) noexcept { return std::isnan(value) ? kNan : std::clamp(value, -1.0F, 1.0F); }

}  // namespace

struct PolicyNetwork::State {
  kernel::Run run = nullptr;
  kernel::Network network;
  std::size_t inputs = 0, outputs = 0;
  Buffer mean, scale, front, back;
  std::vector<Buffer> weights;  // and biases
  std::vector<kernel::Layer> layers;
};

Result<PolicyNetwork> PolicyNetwork::create(const NetworkDescription& description) {
  if (auto sound = check(description); !sound) return std::unexpected(sound.error());
  for (std::size_t i = 0; i < description.layers.size(); ++i)
    RLTUNE_CHECK(static_cast<std::uint8_t>(description.layers[i].activation) <=
                 static_cast<std::uint8_t>(Activation::silu));
  auto run = choose_kernel();
  if (!run) return std::unexpected(run.error());

  auto state = std::make_unique<State>();
  state->run = *run;
  state->inputs = description.mean.size();
  state->outputs = description.layers.back().outputs;
  state->mean = padded_copy(description.mean);
  state->scale = padded_copy(description.scale);
  std::size_t width = padded(state->inputs, kernel::kLaneGroup);
  for (const DenseLayer& layer : description.layers) {
    state->weights.push_back(packed_weights(layer));
    state->weights.push_back(padded_copy(layer.bias));
    const Buffer* const buffers = &state->weights[state->weights.size() - 2];
    state->layers.push_back({buffers[0].get(), buffers[1].get(), layer.inputs,
                             padded(layer.outputs, kernel::kLaneGroup), squash_of(layer.activation)});
    width = std::max(width, padded(layer.outputs, kernel::kLaneGroup));
  }
  state->front = make_buffer(width);
  state->back = make_buffer(width);
  state->network = {state->mean.get(),    state->scale.get(),
                    description.clip,     padded(state->inputs, kernel::kLaneGroup),
                    state->layers.data(), state->layers.size()};
  return PolicyNetwork(std::move(state));
}

PolicyNetwork::PolicyNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
PolicyNetwork::~PolicyNetwork() = default;
PolicyNetwork::PolicyNetwork(PolicyNetwork&&) noexcept = default;
PolicyNetwork& PolicyNetwork::operator=(PolicyNetwork&&) noexcept = default;

std::size_t PolicyNetwork::inputs() const noexcept { return state_->inputs; }
std::size_t PolicyNetwork::outputs() const noexcept { return state_->outputs; }

void PolicyNetwork::act(std::span<const float> observation, std::span<float> action) noexcept {
  State& state = *state_;
  RLTUNE_CHECK(observation.size() == state.inputs && action.size() == state.outputs);
  if (!finite(observation)) {
    std::ranges::fill(action, kNan);
    return;
  }
  std::memcpy(state.front.get(), observation.data(), observation.size_bytes());
  const float* const result = state.run(state.network, state.front.get(), state.back.get());
  for (std::size_t i = 0; i < action.size(); ++i) action[i] = squashed(result[i]);
}

}  // namespace rltune::nn
