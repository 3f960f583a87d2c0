// Recurrent layers, and the states that they begin with.
#include <algorithm>
#include <format>

#include "network_description.hpp"
#include "onnx_flow.hpp"

namespace rltune::nn::onnx_graph {
namespace {

Result<> check_attributes(const onnx::NodeProto& node) {
  Attributes attributes(node);
  attributes.integer("hidden_size", 0);
  if (attributes.text("direction", "forward") != "forward") return unsupported(node, "direction");
  if (attributes.integer("layout", 0) != 0) return unsupported(node, "layout");
  const bool gru = node.op_type() == "GRU";
  if (gru && attributes.integer("linear_before_reset", 0) != 1)
    return unsupported(node, "linear_before_reset must be 1 (Keras: reset_after=True)");
  if (!gru && attributes.integer("input_forget", 0) != 0) return unsupported(node, "input_forget");
  if (const onnx::AttributeProto* const functions = attributes.find("activations")) {
    const std::vector<std::string> usual =
        gru ? std::vector<std::string>{"Sigmoid", "Tanh"} : std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"};
    if (!std::ranges::equal(functions->strings(), usual)) return unsupported(node, "activations");
  }
  if (const std::string name = attributes.unknown(); !name.empty())
    return unsupported(node, std::format("attribute '{}'", name));
  return {};
}

// Zero, or an input of the graph: the state.
Result<> initial_values(Flows& flows, const onnx::NodeProto& node, const Value* from) {
  if (from == nullptr || std::holds_alternative<Zeros>(*from)) return {};
  if (const Tensor* const tensor = std::get_if<Tensor>(from)) {
    if (!tensor->whole && std::ranges::all_of(tensor->numbers, [](float x) { return x == 0.0F; })) return {};
    return unsupported(node, "its first state must be zero");
  }
  const Flow& flow = std::get<Flow>(*from);
  if (flow.step != kNone) return unsupported(node, "its state depends on more than an input");
  flows.note_state(flow.input);
  return {};
}

Result<RecurrentLayer> recurrent_layer(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs,
                                       std::size_t width) {
  RecurrentLayer layer;
  layer.kind = node.op_type() == "LSTM" ? RecurrentLayer::Kind::lstm : RecurrentLayer::Kind::gru;
  layer.inputs = width;
  const Tensor *const input = tensor_of(inputs, 1), *const recurrent = tensor_of(inputs, 2);
  const Tensor* const bias = tensor_of(inputs, 3);
  const auto fits = [](const Tensor* t, std::vector<std::size_t> shape) {
    return t != nullptr && !t->whole && t->shape == shape;
  };
  if (recurrent == nullptr || recurrent->shape.size() != 3) return unsupported(node, "its weights must be constants");
  layer.hidden = recurrent->shape[2];
  const std::size_t rows = layer.gates() * layer.hidden;
  if (!fits(recurrent, {1, rows, layer.hidden}) || !fits(input, {1, rows, width}) ||
      (inputs.size() > 3 && inputs[3] != nullptr && !fits(bias, {1, 2 * rows})))
    return malformed(std::format("{}: its weights do not take {} inputs", label(node), width));
  if (auto few = flows.count_weights(input->size() + recurrent->size()); !few) return std::unexpected(few.error());
  layer.input_weight = input->numbers;
  layer.recurrent_weight = recurrent->numbers;
  layer.input_bias.assign(rows, 0.0F);
  layer.recurrent_bias.assign(rows, 0.0F);
  if (bias != nullptr) {
    std::copy_n(bias->numbers.begin(), rows, layer.input_bias.begin());
    std::copy_n(bias->numbers.begin() + static_cast<std::ptrdiff_t>(rows), rows, layer.recurrent_bias.begin());
  }
  return layer;
}

Result<> recurrent(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const bool lstm = node.op_type() == "LSTM";
  if (flow->shape.size() != 3) return unsupported(node, "it must take a sequence of batches of rows");
  if (auto plain = check_attributes(node); !plain) return plain;
  if (inputs.size() > 4 && inputs[4] != nullptr) return unsupported(node, "sequence_lens");
  if (inputs.size() > 7) return unsupported(node, "peepholes");
  for (std::size_t at = 5; at < (lstm ? 7U : 6U) && at < inputs.size(); ++at)
    if (auto known = initial_values(flows, node, inputs[at]); !known) return known;

  auto layer = recurrent_layer(flows, node, inputs, static_cast<std::size_t>(flow->width()));
  if (!layer) return std::unexpected(layer.error());
  Step step{.kind = Step::Kind::recurrent, .where = label(node)};
  const auto hidden = static_cast<std::int64_t>(layer->hidden);
  step.recurrent = std::move(*layer);
  flows.follow(*flow, std::move(step));
  const std::int64_t time = flow->shape[0], batch = flow->shape[1];
  *flow = Flow{.input = flow->input, .step = flow->step, .shape = {time, 1, batch, hidden}, .axis = 3};
  if (!node.output(0).empty()) flows.set(node.output(0), *flow);
  flow->shape = {1, batch, hidden};
  flow->axis = 2;
  if (node.output_size() > 1 && !node.output(1).empty()) flows.set(node.output(1), *flow);
  return {};
}

constexpr Operator kRecurrent[] = {
    {"GRU", recurrent},
    {"LSTM", recurrent},
};

}  // namespace

std::span<const Operator> recurrent_operators() { return kRecurrent; }

}  // namespace rltune::nn::onnx_graph
