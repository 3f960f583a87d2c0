// A deterministic policy ready to act: dense layers of a shape known at run time, normalisation in front
// and squashing behind, as exported to ONNX.
//
//   y = squash(W_L f(... f(W_1 ((x - mean) * scale) + b_1) ...) + b_L)
//
// Recurrent layers, where there are any, stand between the normalisation and the dense layers and remember from one
// act() to the next. A discrete policy answers with the index of the largest y (the first of equals).
//
// Same bits on every instruction set: one fixed order of accumulation and our own activations.
// Threads: a network belongs to one thread. Memory: act() takes none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::nn {

enum class Activation : std::uint8_t { identity, relu, tanh, silu, elu };

struct DenseLayer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<float> weight;  // outputs x inputs, row-major, as ONNX Gemm with transB = 1
  std::vector<float> bias;    // outputs
  Activation activation = Activation::identity;
};

// A recurrent layer. Gates follow each other in the rows of the matrices, in the order of ONNX:
//   gru:  z, r, n   h' = (1 - z) * n + z * h,  n = tanh(W_n x + b_n + r * (R_n h + c_n))  (linear_before_reset = 1)
//   lstm: i, o, f, g   c' = f * c + i * g,  h' = o * tanh(c')
struct RecurrentLayer {
  enum class Kind : std::uint8_t { gru, lstm };
  Kind kind = Kind::gru;
  std::size_t inputs = 0;
  std::size_t hidden = 0;
  std::vector<float> input_weight;      // gates * hidden x inputs, row-major
  std::vector<float> recurrent_weight;  // gates * hidden x hidden, row-major
  std::vector<float> input_bias;        // gates * hidden
  std::vector<float> recurrent_bias;    // gates * hidden

  std::size_t gates() const noexcept { return kind == Kind::gru ? 3 : 4; }
  // Numbers it remembers.
  std::size_t state_size() const noexcept { return kind == Kind::gru ? hidden : 2 * hidden; }
};

// What a policy is made of; what ONNX files are written from and read into.
struct NetworkDescription {
  std::vector<float> mean;         // of each observation
  std::vector<float> scale;        // 1 / deviation
  float clip = 0.0F;               // normalised observations are clipped to [-clip, clip]; 0 for none
  std::vector<DenseLayer> layers;  // the last one's activation squashes into [-1, 1] (tanh) or clips (identity)
  bool discrete = false;           // the last layer's outputs are preferences: the action is the index of the largest
  std::vector<RecurrentLayer> recurrent;  // before the dense layers, on the normalised observation

  std::size_t inputs() const noexcept { return mean.size(); }
  // Numbers that act() writes. REQUIRES: there is a layer.
  std::size_t outputs() const noexcept { return discrete ? 1 : layers.back().outputs; }
  std::size_t state_size() const noexcept;  // of all recurrent layers together
};

class PolicyNetwork {
 public:
  // Errors: invalid_argument (shapes that do not chain, a value that is not finite).
  static Result<PolicyNetwork> create(const NetworkDescription& description);
  ~PolicyNetwork();
  PolicyNetwork(PolicyNetwork&&) noexcept;
  PolicyNetwork& operator=(PolicyNetwork&&) noexcept;

  std::size_t inputs() const noexcept;
  std::size_t outputs() const noexcept;  // 1 where the policy is discrete
  // Output in [-1, 1], or an index from 0, of those that `allowed` marks with 1 where it is not empty. REQUIRES: sizes
  // match. An observation that is not finite, or an overflow inside, gives NaN and leaves the state as it was: the
  // caller holds.
  void act(std::span<const float> observation, std::span<float> action,
           std::span<const std::uint8_t> allowed = {}) noexcept;

  // What the recurrent layers remember, layer after layer: hidden values, then an LSTM's cell values. Empty without
  // recurrent layers. Written into the network, a recorded state makes the next act() the recorded one, to the bit.
  std::span<float> state() noexcept;
  std::span<const float> state() const noexcept;
  // The state at the start of an episode: all zero.
  void reset() noexcept;

 private:
  struct State;
  explicit PolicyNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// ONNX (opset 17, IR 8): input "observation" [batch, inputs], output "action" [batch, outputs], of int64 where the
// policy is discrete; recurrent policies take "state" [batch, state_size] besides and give "next_state", as
// PolicyNetwork::state() orders it.
Result<std::string> to_onnx(const NetworkDescription& description, std::string_view producer_comment);

struct OnnxReading {
  // An output without bounds is clipped to [-1, 1], as its maker's environment did (Stable-Baselines3's PPO).
  bool clip_output = false;
};
// Reads a graph that to_onnx() wrote, and dense and recurrent policies as PyTorch, Stable-Baselines3 and Keras
// (tf2onnx) export them: what leads from the observation to the output "action", "actions" or the first one. Sequences
// and batches are read as one step of one row. Outside bytes: bounded, checked, fuzzed. Errors: parse, unsupported
// (names the node).
Result<NetworkDescription> from_onnx(std::string_view bytes, const OnnxReading& reading = {});

}  // namespace rltune::nn
