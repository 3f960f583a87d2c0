#include "rltune/nn/mlp.hpp"

#include <algorithm>
#include <cmath>

#include "mlp_kernels.hpp"
#include "orthogonal.hpp"
#include "rltune/base/check.hpp"
#include "row_blocks.hpp"

namespace rltune::nn {
namespace {

double hidden_gain(Activation activation) {
  if (activation == Activation::tanh) return 5.0 / 3.0;
  return activation == Activation::identity ? 1.0 : std::sqrt(2.0);
}

}  // namespace

Mlp::Mlp(const MlpShape& shape) : shape_(shape) {
  RLTUNE_CHECK(shape.inputs > 0 && shape.outputs > 0);
  std::size_t size = 0, transposed_size = 0;
  const auto take = [](std::size_t& total, std::size_t count) { return std::exchange(total, total + padded(count)); };
  std::size_t inputs = shape.inputs;
  for (std::size_t l = 0; l <= shape.hidden.size(); ++l) {
    const bool hidden = l < shape.hidden.size();
    Offsets at;
    at.inputs = inputs;
    at.outputs = hidden ? shape.hidden[l] : shape.outputs;
    RLTUNE_CHECK(at.outputs > 0);
    at.weight = take(size, at.inputs * at.outputs);
    at.bias = take(size, at.outputs);
    at.normalised = hidden && shape.layer_norm;
    if (at.normalised) {
      at.gain = take(size, at.outputs);
      at.shift = take(size, at.outputs);
    }
    at.transposed = take(transposed_size, at.inputs * at.outputs);
    inputs = at.outputs;
    offsets_.push_back(at);
  }
  parameters_.assign(size, 0.0F);
  transposed_.assign(transposed_size, 0.0F);
}

void Mlp::initialise(Random& random, float output_gain) {
  std::ranges::fill(parameters_, 0.0F);
  for (std::size_t l = 0; l < offsets_.size(); ++l) {
    const Offsets& at = offsets_[l];
    const bool hidden = l + 1 < offsets_.size();
    const double gain = hidden ? hidden_gain(shape_.activation) : static_cast<double>(output_gain);
    const std::vector<double> weight = orthogonal(at.inputs, at.outputs, random);
    for (std::size_t i = 0; i < weight.size(); ++i) parameters_[at.weight + i] = static_cast<float>(gain * weight[i]);
    if (at.normalised) std::fill_n(&parameters_[at.gain], at.outputs, 1.0F);
  }
  prepare_backward();
}

void Mlp::prepare_backward() noexcept {
  for (const Offsets& at : offsets_)
    transpose(&parameters_[at.weight], at.inputs, at.outputs, &transposed_[at.transposed]);
}

DenseLayer Mlp::layer(std::size_t index, std::size_t outputs) const {
  const Offsets& at = offsets_[index];
  RLTUNE_CHECK(!at.normalised && outputs <= at.outputs);
  if (outputs == 0) outputs = at.outputs;
  DenseLayer layer;
  layer.inputs = at.inputs;
  layer.outputs = outputs;
  layer.activation = index + 1 < offsets_.size() ? shape_.activation : Activation::identity;
  layer.weight.resize(at.inputs * outputs);
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < at.inputs; ++i)
      layer.weight[o * at.inputs + i] = parameters_[at.weight + i * at.outputs + o];
  layer.bias.assign(&parameters_[at.bias], &parameters_[at.bias] + outputs);
  return layer;
}

void Mlp::set_layer(std::size_t index, const DenseLayer& layer) {
  const Offsets& at = offsets_[index];
  RLTUNE_CHECK(!at.normalised && layer.inputs == at.inputs && layer.outputs <= at.outputs);
  for (std::size_t o = 0; o < layer.outputs; ++o)
    for (std::size_t i = 0; i < at.inputs; ++i)
      parameters_[at.weight + i * at.outputs + o] = layer.weight[o * at.inputs + i];
  std::ranges::copy(layer.bias, &parameters_[at.bias]);
}

void Mlp::rescale_output(double scale, double shift) noexcept {
  const Offsets& at = offsets_.back();
  const auto rescale = [](float& value, double by, double more) {
    value = static_cast<float>(static_cast<double>(value) * by + more);
  };
  for (std::size_t i = 0; i < at.inputs * at.outputs; ++i) rescale(parameters_[at.weight + i], scale, 0.0);
  for (std::size_t o = 0; o < at.outputs; ++o) rescale(parameters_[at.bias + o], scale, shift);
  prepare_backward();
}

// A single output has its own products: a matrix kernel would use one lane of a register.
struct MlpPass::Layer {
  RowBlocks forward;     // output block = W input block; none for a single output
  Gemm weight_gradient;  // dW = delta input'; input delta' for a single output
  RowBlocks propagate;   // lower delta block = W' delta block
  AlignedFloats output, raw, z, inverse_deviation;
};

MlpPass::~MlpPass() = default;
MlpPass::MlpPass(MlpPass&&) noexcept = default;
MlpPass& MlpPass::operator=(MlpPass&&) noexcept = default;

MlpPass::MlpPass(const MlpShape& shape, std::size_t rows, const Options& options) : rows_(rows), options_(options) {
  if (options_.input_stride == 0) options_.input_stride = shape.inputs;
  RLTUNE_CHECK(rows > 0 && options_.input_stride >= shape.inputs);
  RLTUNE_CHECK(options_.first_column + options_.columns <= shape.inputs);
  std::size_t inputs = shape.inputs, stride = options_.input_stride, widest = shape.outputs;
  for (std::size_t l = 0; l <= shape.hidden.size(); ++l) {
    const bool hidden = l < shape.hidden.size();
    const std::size_t outputs = hidden ? shape.hidden[l] : shape.outputs;
    const std::size_t wanted = l > 0 ? inputs : options_.columns;
    Layer layer;
    const bool single = outputs == 1 && !hidden;
    if (!single)
      layer.forward =
          RowBlocks({.m = outputs, .k = inputs, .a_stride = outputs, .b_stride = stride, .c_stride = outputs}, rows);
    if (single)
      layer.weight_gradient =
          Gemm({.m = inputs, .n = 1, .k = rows, .a_stride = stride, .b_stride = rows, .c_stride = inputs});
    else
      layer.weight_gradient = Gemm({.m = outputs,
                                    .n = inputs,
                                    .k = rows,
                                    .a_stride = outputs,
                                    .b_stride = stride,
                                    .c_stride = outputs,
                                    .b_transposed = true});
    if (wanted > 0)
      layer.propagate =
          RowBlocks({.m = wanted, .k = outputs, .a_stride = inputs, .b_stride = outputs, .c_stride = wanted}, rows);
    layer.output.resize(rows * outputs);
    if (hidden && shape.activation == Activation::silu) layer.raw.resize(rows * outputs);
    if (hidden && shape.layer_norm) {
      layer.z.resize(rows * outputs);
      layer.inverse_deviation.resize(rows);
    }
    layers_.push_back(std::move(layer));
    widest = std::max(widest, outputs);
    inputs = stride = outputs;
  }
  delta_.resize(rows * widest);
  lower_delta_.resize(rows * widest);
  unused_.resize(widest);
}

const float* MlpPass::layer_input(std::size_t layer) const noexcept {
  return layer == 0 ? input_ : layers_[layer - 1].output.data();
}

const float* MlpPass::features() const noexcept { return layer_input(layers_.size() - 1); }

std::span<const float> MlpPass::forward(const Mlp& net, const float* input) noexcept {
  input_ = input;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const Mlp::Offsets& at = net.offsets_[l];
    const float* parameters = net.parameters_.data();
    const float* source = layer_input(l);
    const std::size_t stride = l == 0 ? options_.input_stride : at.inputs;
    const Activation activation = l + 1 < layers_.size() ? net.shape_.activation : Activation::identity;
    if (at.outputs == 1 && l + 1 == layers_.size()) {
      dot_rows(source, stride, rows_, parameters + at.weight, at.inputs, parameters[at.bias], layer.output.data());
      break;
    }
    for_each_block(layer.forward, [&](const Gemm& gemm, std::size_t first, std::size_t rows) {
      float* y = &layer.output[first * at.outputs];
      float* raw = layer.raw.empty() ? nullptr : &layer.raw[first * at.outputs];
      gemm(parameters + at.weight, source + first * stride, y);
      if (at.normalised)
        add_bias_normalise_and_activate(y, parameters + at.bias, parameters + at.gain, parameters + at.shift, rows,
                                        at.outputs, activation, raw, &layer.z[first * at.outputs],
                                        &layer.inverse_deviation[first]);
      else
        add_bias_and_activate(y, parameters + at.bias, rows, at.outputs, activation, raw);
    });
  }
  return layers_.back().output;
}

const float* MlpPass::descend(const Mlp& net, std::size_t l, const float* delta, float* gain_gradient,
                              float* shift_gradient) noexcept {
  const Mlp::Offsets& at = net.offsets_[l];
  float* lower = lower_delta_.data();
  const Layer& below = layers_[l - 1];
  const Mlp::Offsets& below_at = net.offsets_[l - 1];
  if (at.outputs == 1) {
    outer_times_derivative(delta, &net.parameters_[at.weight], below.output.data(), below.raw.data(), rows_, at.inputs,
                           net.shape_.activation, lower);
  } else {
    for_each_block(layers_[l].propagate, [&](const Gemm& gemm, std::size_t first, std::size_t) {
      gemm(&net.transposed_[at.transposed], delta + first * at.outputs, lower + first * at.inputs);
    });
    multiply_by_derivative(lower, below.output.data(), below.raw.data(), below.output.size(), net.shape_.activation);
  }
  if (below_at.normalised)
    layer_norm_backward(lower, below.z.data(), below.inverse_deviation.data(), &net.parameters_[below_at.gain], rows_,
                        below_at.outputs, gain_gradient, shift_gradient);
  std::swap(delta_, lower_delta_);
  return lower;
}

void MlpPass::backward(const Mlp& net, std::span<const float> output_gradient, std::span<float> gradient,
                       std::span<float> input_gradient) noexcept {
  RLTUNE_CHECK(output_gradient.size() == layers_.back().output.size() && gradient.size() == net.parameters_.size());
  const float* delta = output_gradient.data();
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Mlp::Offsets& at = net.offsets_[l];
    if (at.outputs == 1 && l + 1 == layers_.size())
      layers_[l].weight_gradient(layer_input(l), delta, &gradient[at.weight]);
    else
      layers_[l].weight_gradient(delta, layer_input(l), &gradient[at.weight]);
    sum_rows(delta, rows_, at.outputs, &gradient[at.bias]);
    if (l == 0) {
      if (!input_gradient.empty()) write_input_gradient(net, delta, input_gradient);
      break;
    }
    const Mlp::Offsets& below = net.offsets_[l - 1];
    delta = descend(net, l, delta, &gradient[below.gain], &gradient[below.shift]);
  }
}

void MlpPass::backward_input(const Mlp& net, std::span<const float> output_gradient,
                             std::span<float> input_gradient) noexcept {
  const float* delta = output_gradient.data();
  for (std::size_t l = layers_.size(); l-- > 1;) delta = descend(net, l, delta, unused_.data(), unused_.data());
  write_input_gradient(net, delta, input_gradient);
}

void MlpPass::write_input_gradient(const Mlp& net, const float* delta, std::span<float> input_gradient) noexcept {
  RLTUNE_CHECK(options_.columns > 0 && input_gradient.size() == rows_ * options_.columns);
  const Mlp::Offsets& at = net.offsets_[0];
  for_each_block(layers_[0].propagate, [&](const Gemm& gemm, std::size_t first, std::size_t) {
    gemm(&net.transposed_[at.transposed + options_.first_column], delta + first * at.outputs,
         &input_gradient[first * options_.columns]);
  });
}

}  // namespace rltune::nn
