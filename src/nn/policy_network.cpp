#include "rltune/nn/policy_network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
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
  const bool v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
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
    case Activation::elu:
      return kernel::Squash::elu;
  }
  return kernel::Squash::identity;
}

bool finite(std::span<const float> values) noexcept {
  bool bad = false;
  for (const float value : values) bad |= (std::bit_cast<std::uint32_t>(value) & 0x7f800000U) == 0x7f800000U;
  return !bad;
}

// The gates apart, each padded, so that the kernel finds them at multiples of a lane group.
DenseLayer gate_layer(const RecurrentLayer& layer, std::size_t inputs, const std::vector<float>& weight,
                      const std::vector<float>& bias) {
  const std::size_t room = padded(layer.hidden, kernel::kLaneGroup);
  DenseLayer gates{inputs, layer.gates() * room, std::vector<float>(layer.gates() * room * inputs),
                   std::vector<float>(layer.gates() * room), Activation::identity};
  for (std::size_t gate = 0; gate < layer.gates(); ++gate) {
    std::copy_n(&weight[gate * layer.hidden * inputs], layer.hidden * inputs, &gates.weight[gate * room * inputs]);
    std::copy_n(&bias[gate * layer.hidden], layer.hidden, &gates.bias[gate * room]);
  }
  return gates;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Machines differ in the bits of the NaN that an overflow inside makes; ours is one.
float squashed(float value) noexcept { return std::isnan(value) ? kNan : std::clamp(value, -1.0F, 1.0F); }

float largest_index(std::span<const float> values, std::span<const std::uint8_t> allowed) noexcept {
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) return kNan;
    const bool may = allowed.empty() || allowed[i] != 0;
    if (may && (best == values.size() || values[i] > values[best])) best = i;
  }
  RLTUNE_CHECK(best < values.size());
  return static_cast<float>(best);
}

}  // namespace

// The numbers of one recurrent layer: `hidden` and `cell` are padded copies of its part of the state.
struct Memory {
  std::size_t size = 0;  // not padded
  Buffer hidden, cell, next_hidden, next_cell, from_input, from_hidden;
};

struct PolicyNetwork::State {
  kernel::Run run = nullptr;
  kernel::Network network;
  std::size_t inputs = 0, preferences = 0;
  bool discrete = false;
  Buffer mean, scale, front, back;
  std::vector<Buffer> weights;  // and biases
  std::vector<kernel::Layer> layers;
  std::vector<kernel::Recurrent> recurrent;
  std::vector<Memory> memories;  // one a recurrent layer
  std::vector<float> state;

  kernel::Layer add(const DenseLayer& layer) {
    weights.push_back(packed_weights(layer));
    weights.push_back(padded_copy(layer.bias));
    return {weights[weights.size() - 2].get(), weights.back().get(), layer.inputs,
            padded(layer.outputs, kernel::kLaneGroup), squash_of(layer.activation)};
  }

  void add(const RecurrentLayer& layer) {
    const std::size_t room = padded(layer.hidden, kernel::kLaneGroup);
    memories.push_back({layer.hidden, make_buffer(room), make_buffer(room), make_buffer(room), make_buffer(room),
                        make_buffer(layer.gates() * room), make_buffer(layer.gates() * room)});
    const Memory& memory = memories.back();
    recurrent.push_back(
        {.input = add(gate_layer(layer, layer.inputs, layer.input_weight, layer.input_bias)),
         .recurrent = add(gate_layer(layer, layer.hidden, layer.recurrent_weight, layer.recurrent_bias)),
         .lstm = layer.kind == RecurrentLayer::Kind::lstm,
         .hidden = room,
         .hidden_values = memory.hidden.get(),
         .cell_values = memory.cell.get(),
         .next_hidden = memory.next_hidden.get(),
         .next_cell = memory.next_cell.get(),
         .from_input = memory.from_input.get(),
         .from_hidden = memory.from_hidden.get()});
  }

  // Calls body(values of the state, padded values, padded next values) for each run of values.
  template <typename Body>
  void for_each_memory(Body&& body) noexcept {
    float* values = state.data();
    for (std::size_t i = 0; i < memories.size(); ++i) {
      Memory& memory = memories[i];
      body(std::span(values, memory.size), memory.hidden.get(), memory.next_hidden.get());
      values += memory.size;
      if (!recurrent[i].lstm) continue;
      body(std::span(values, memory.size), memory.cell.get(), memory.next_cell.get());
      values += memory.size;
    }
  }

  // A state that is not finite would stay so for ever.
  void keep_next_state() noexcept {
    bool sound = true;
    for_each_memory([&](std::span<float> values, const float*, const float* next) {
      sound = sound && finite({next, values.size()});
    });
    if (!sound) return;
    for_each_memory([](std::span<float> values, const float*, const float* next) {
      std::copy_n(next, values.size(), values.data());
    });
  }
};

Result<PolicyNetwork> PolicyNetwork::create(const NetworkDescription& description) {
  if (auto sound = check(description); !sound) return std::unexpected(sound.error());
  for (std::size_t i = 0; i < description.layers.size(); ++i)
    RLTUNE_CHECK(static_cast<std::uint8_t>(description.layers[i].activation) <=
                 static_cast<std::uint8_t>(Activation::elu));
  auto run = choose_kernel();
  if (!run) return std::unexpected(run.error());

  auto state = std::make_unique<State>();
  state->run = *run;
  state->inputs = description.mean.size();
  state->preferences = description.layers.back().outputs;
  state->discrete = description.discrete;
  state->mean = padded_copy(description.mean);
  state->scale = padded_copy(description.scale);
  std::size_t width = padded(state->inputs, kernel::kLaneGroup);
  for (const RecurrentLayer& layer : description.recurrent) state->add(layer);
  for (const DenseLayer& layer : description.layers) {
    state->layers.push_back(state->add(layer));
    width = std::max(width, padded(layer.outputs, kernel::kLaneGroup));
  }
  state->state.assign(description.state_size(), 0.0F);
  state->front = make_buffer(width);
  state->back = make_buffer(width);
  state->network = {.mean = state->mean.get(),
                    .scale = state->scale.get(),
                    .clip = description.clip,
                    .inputs = state->inputs,
                    .recurrent = state->recurrent.data(),
                    .recurrent_count = state->recurrent.size(),
                    .layers = state->layers.data(),
                    .layer_count = state->layers.size()};
  return PolicyNetwork(std::move(state));
}

PolicyNetwork::PolicyNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
PolicyNetwork::~PolicyNetwork() = default;
PolicyNetwork::PolicyNetwork(PolicyNetwork&&) noexcept = default;
PolicyNetwork& PolicyNetwork::operator=(PolicyNetwork&&) noexcept = default;

std::size_t PolicyNetwork::inputs() const noexcept { return state_->inputs; }
std::size_t PolicyNetwork::outputs() const noexcept { return state_->discrete ? 1 : state_->preferences; }
std::span<float> PolicyNetwork::state() noexcept { return state_->state; }
std::span<const float> PolicyNetwork::state() const noexcept { return state_->state; }
void PolicyNetwork::reset() noexcept { std::ranges::fill(state_->state, 0.0F); }

void PolicyNetwork::act(std::span<const float> observation, std::span<float> action,
                        std::span<const std::uint8_t> allowed) noexcept {
  State& state = *state_;
  RLTUNE_CHECK(observation.size() == state.inputs && action.size() == outputs());
  RLTUNE_CHECK(allowed.empty() || (state.discrete && allowed.size() == state.preferences));
  state.for_each_memory([](std::span<const float> values, float* padded_values, const float*) {
    std::copy_n(values.data(), values.size(), padded_values);
  });
  const float* const result = state.run(state.network, observation.data(), state.front.get(), state.back.get());
  state.keep_next_state();
  if (state.discrete)
    action[0] = largest_index({result, state.preferences}, allowed);
  else
    for (std::size_t i = 0; i < action.size(); ++i) action[i] = squashed(result[i]);
}

}  // namespace rltune::nn
