// Operators that compute: dense layers, what is added to rows or multiplied with them, activations, choices.
#include <algorithm>
#include <format>

#include "network_description.hpp"
#include "onnx_flow.hpp"

namespace rltune::nn::onnx_graph {
namespace {

using Kind = Step::Kind;

Result<> dense(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs, bool transposed, const Tensor* bias) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const Tensor* const weight = tensor_of(inputs, 1);
  if (weight == nullptr || weight->whole || (inputs.size() > 2 && inputs[2] != nullptr && bias == nullptr))
    return unsupported(node, "it must take what comes of the observation and constant weights");
  const auto width = static_cast<std::size_t>(flow->width());
  if (weight->shape.size() != 2 || weight->shape[transposed ? 1 : 0] != width)
    return malformed(std::format("{}: the weights do not take {} inputs", label(node), width));
  if (auto few = flows.count_weights(weight->size()); !few) return few;
  Step step{.kind = Kind::dense};
  step.dense = {width, weight->shape[transposed ? 0 : 1], weight->numbers, {}, Activation::identity};
  DenseLayer& layer = step.dense;
  if (!transposed)
    for (std::size_t o = 0; o < layer.outputs; ++o)
      for (std::size_t i = 0; i < layer.inputs; ++i)
        layer.weight[o * layer.inputs + i] = weight->numbers[i * layer.outputs + o];
  layer.bias.assign(layer.outputs, 0.0F);
  if (bias != nullptr) {
    const auto row = bias->row(layer.outputs);
    if (!row) return malformed(std::format("{}: the bias does not fit {} outputs", label(node), layer.outputs));
    layer.bias = *row;
  }
  flow->shape[flow->axis] = static_cast<std::int64_t>(layer.outputs);
  return flows.put(node, std::move(*flow), std::move(step));
}

Result<> gemm(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  Attributes attributes(node);
  const bool transposed = attributes.integer("transB", 0) != 0;
  const float alpha = attributes.number("alpha", 1.0F), beta = attributes.number("beta", 1.0F);
  if (attributes.integer("transA", 0) != 0) return unsupported(node, "attribute 'transA'");
  if (const std::string name = attributes.unknown(); !name.empty())
    return unsupported(node, std::format("attribute '{}'", name));
  if (alpha != 1.0F || beta != 1.0F) return unsupported(node, "alpha and beta must be 1");
  return dense(flows, node, inputs, transposed, tensor_of(inputs, 2));
}

Result<> matmul(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  return dense(flows, node, inputs, false, nullptr);
}

// The flow of a node with a flow and a row of constants, in either order; the row.
struct Pair {
  Flow flow;
  std::vector<float> row;
};
Result<Pair> with_row(const onnx::NodeProto& node, const Inputs& inputs, bool either_order) {
  const bool second = either_order && flow_of(inputs, 0) == nullptr;
  const auto flow = rows(node, second ? Inputs{inputs[1]} : inputs);
  if (!flow) return std::unexpected(flow.error());
  const Tensor* const tensor = tensor_of(inputs, second ? 0 : 1);
  if (inputs.size() != 2 || tensor == nullptr)
    return unsupported(node, "only a row of constants beside what comes of the observation is read");
  const auto row = tensor->row(static_cast<std::size_t>(flow->width()));
  if (!row) return malformed(label(node) + ": the shape of its constant does not fit");
  return Pair{*flow, *row};
}

Result<> sum(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  if (zero(inputs, 1)) return same(flows, node, inputs);
  if (zero(inputs, 0)) return same(flows, node, {inputs[1]});
  auto pair = with_row(node, inputs, true);
  if (!pair) return std::unexpected(pair.error());
  Step step{.kind = Kind::affine};
  step.shift = std::move(pair->row);
  return flows.put(node, std::move(pair->flow), std::move(step));
}

Result<> difference(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  const Flow *const left = flow_of(inputs, 0), *const right = flow_of(inputs, 1);
  if (left != nullptr && right != nullptr && flows.kind(*right) == Kind::row_value &&
      flows.before(*right) == left->step)
    return flows.put(node, *left, Step{.kind = Kind::monotone});
  auto pair = with_row(node, inputs, false);
  if (!pair) return std::unexpected(pair.error());
  Step step{.kind = Kind::affine};
  step.shift = std::move(pair->row);
  for (float& value : step.shift) value = -value;
  return flows.put(node, std::move(pair->flow), std::move(step));
}

Result<> put_activation(Flows& flows, const onnx::NodeProto& node, Flow flow, Activation activation) {
  if (!flow.is_row() || flow.part_of_state) return unsupported(node, "it takes no rows of numbers");
  Step step{.kind = Kind::activate};
  step.activation = activation;
  return flows.put(node, std::move(flow), std::move(step));
}

// x * Sigmoid(x), or a row of constants.
Result<> product(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  const Flow *const left = flow_of(inputs, 0), *const right = flow_of(inputs, 1);
  if (left != nullptr && right != nullptr) {
    const auto sigmoid_of = [&flows](const Flow& gate, const Flow& x) {
      return flows.kind(gate) == Kind::sigmoid && flows.before(gate) == x.step;
    };
    if (left->shape == right->shape && sigmoid_of(*right, *left))
      return put_activation(flows, node, *left, Activation::silu);
    if (left->shape == right->shape && sigmoid_of(*left, *right))
      return put_activation(flows, node, *right, Activation::silu);
    return unsupported(node, "of products of two values, x * Sigmoid(x) alone is read");
  }
  auto pair = with_row(node, inputs, true);
  if (!pair) return std::unexpected(pair.error());
  Step step{.kind = Kind::affine};
  step.factor = std::move(pair->row);
  return flows.put(node, std::move(pair->flow), std::move(step));
}

Result<> quotient(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto pair = with_row(node, inputs, false);
  if (!pair) return std::unexpected(pair.error());
  Step step{.kind = Kind::affine};
  for (const float value : pair->row) step.factor.push_back(1.0F / value);
  return flows.put(node, std::move(pair->flow), std::move(step));
}

Result<> activation(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (node.input_size() != 1) return malformed(label(node) + ": it must have one input");
  if (node.op_type() == "Sigmoid") return flows.put(node, std::move(*flow), Step{.kind = Kind::sigmoid});
  if (Attributes(node).number("alpha", 1.0F) != 1.0F) return unsupported(node, "alpha must be 1");
  const char first = node.op_type()[0];
  return put_activation(flows, node, std::move(*flow),
                        first == 'R'   ? Activation::relu
                        : first == 'T' ? Activation::tanh
                                       : Activation::elu);
}

Result<> clip(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const Tensor *const low = tensor_of(inputs, 1), *const high = tensor_of(inputs, 2);
  if (low == nullptr || high == nullptr || low->whole || high->whole || low->size() != 1 || high->size() != 1)
    return unsupported(node, "it must take two constants");
  Step step{.kind = Kind::clip};
  step.bound = high->numbers[0];
  if (!(step.bound > 0.0F) || low->numbers[0] != -step.bound) return unsupported(node, "only bounds -c and c are read");
  return flows.put(node, std::move(*flow), std::move(step));
}

// Whether an operator along an axis works along the rows.
bool along_rows(const onnx::NodeProto& node, const Flow& flow, std::int64_t fallback) {
  const auto axis = axis_of(node, Attributes(node).integer("axis", fallback), flow.shape.size());
  return axis && *axis == flow.axis;
}

Result<> softmax(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (!along_rows(node, *flow, -1)) return unsupported(node, "it must work along the rows");
  return flows.put(node, std::move(*flow), Step{.kind = Kind::monotone});
}

Result<> log_sum_exp(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const auto axes = axes_of(node, tensor_of(inputs, 1), flow->shape.size());
  if (!axes) return std::unexpected(axes.error());
  if (*axes != std::vector{flow->axis} || Attributes(node).integer("keepdims", 1) != 1)
    return unsupported(node, "it must work along the rows");
  return flows.put(node, std::move(*flow), Step{.kind = Kind::row_value});
}

Result<> largest(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (!along_rows(node, *flow, 0)) return unsupported(node, "it must work along the rows");
  if (Attributes(node).integer("select_last_index", 0) != 0) return unsupported(node, "attribute 'select_last_index'");
  return flows.put(node, std::move(*flow), Step{.kind = Kind::largest});
}

constexpr Operator kArithmetic[] = {
    {"Gemm", gemm},
    {"MatMul", matmul},
    {"Add", sum},
    {"Sub", difference},
    {"Mul", product},
    {"Div", quotient},
    {"Clip", clip},
    {"Relu", activation},
    {"Tanh", activation},
    {"Elu", activation},
    {"Sigmoid", activation},
    {"Softmax", softmax},
    {"LogSoftmax", softmax},
    {"ReduceLogSumExp", log_sum_exp},
    {"ArgMax", largest},
};

}  // namespace

std::span<const Operator> arithmetic_operators() { return kArithmetic; }

}  // namespace rltune::nn::onnx_graph
