// Follows an ONNX graph from its observation to its action and notes what happens on the way.
#include <algorithm>
#include <format>
#include <map>
#include <set>

#include "network_description.hpp"
#include "onnx_flow.hpp"

namespace rltune::nn {
namespace {

using namespace onnx_graph;

class Reader {
 public:
  Reader(const onnx::GraphProto& graph, const OnnxReading& reading) : graph_(graph), reading_(reading) {}

  Result<NetworkDescription> read() {
    if (graph_.node_size() > kNodesMax)
      return malformed(std::format("{} nodes; at most {} are read", graph_.node_size(), kNodesMax));
    if (graph_.sparse_initializer_size() > 0) return unsupported("sparse tensors");
    const auto output = choose_output();
    if (!output) return std::unexpected(output.error());
    if (auto done = find_makers(); !done) return std::unexpected(done.error());
    for (const int index : needed(*output))
      if (auto done = evaluate(graph_.node(index)); !done) return std::unexpected(done.error());
    return finish(*output);
  }

 private:
  // ---- what is where

  Result<std::string> choose_output() const {
    if (graph_.output_size() == 0) return malformed("it has no output");
    for (const char* name : {"action", "actions"})
      for (const onnx::ValueInfoProto& output : graph_.output())
        if (output.name() == name) return output.name();
    return graph_.output(0).name();
  }

  Result<> find_makers() {
    const auto twice = [](const std::string& name) {
      return malformed(std::format("'{}' is defined twice", shortened(name)));
    };
    for (const onnx::TensorProto& tensor : graph_.initializer())
      if (!initialisers_.emplace(tensor.name(), &tensor).second) return twice(tensor.name());
    for (int i = 0; i < graph_.node_size(); ++i)
      for (const std::string& name : graph_.node(i).output()) {
        if (name.empty()) continue;
        if (!makers_.emplace(name, i).second || initialisers_.contains(name)) return twice(name);
      }
    return {};
  }

  // To what shape rows are expanded does not matter to a row; what computes it may be anything.
  static int inputs_read(const onnx::NodeProto& node) {
    return node.op_type() == "Expand" ? std::min(node.input_size(), 1) : node.input_size();
  }

  // The nodes that lead to `output`, in the order of the graph.
  std::set<int> needed(const std::string& output) const {
    std::set<int> nodes;
    std::vector<std::string> open{output};
    while (!open.empty()) {
      const std::string name = std::move(open.back());
      open.pop_back();
      const auto maker = makers_.find(name);
      if (maker == makers_.end() || !nodes.insert(maker->second).second) continue;
      const onnx::NodeProto& node = graph_.node(maker->second);
      for (int i = 0; i < inputs_read(node); ++i) open.push_back(node.input(i));
    }
    return nodes;
  }

  Result<const Value*> value(const std::string& name) {
    if (const Value* const found = flows_.find(name)) return found;
    if (const auto found = initialisers_.find(name); found != initialisers_.end()) {
      auto tensor = read_tensor(*found->second);
      if (!tensor) return std::unexpected(tensor.error());
      return flows_.set(name, std::move(*tensor));
    }
    for (int i = 0; i < graph_.input_size(); ++i)
      if (graph_.input(i).name() == name) return read_input(i);
    return malformed(std::format("'{}' is used before anything makes it", shortened(name)));
  }

  Result<const Value*> read_input(int index) {
    const onnx::ValueInfoProto& input = graph_.input(index);
    const auto& type = input.type().tensor_type();
    if (type.elem_type() != onnx::TensorProto::FLOAT || type.shape().dim_size() < 2 || type.shape().dim_size() > 3)
      return unsupported(
          std::format("input '{}' must be 32-bit floats [batch, n] or a sequence of them", shortened(input.name())));
    Flow flow{.input = static_cast<std::size_t>(index), .shape = {}, .axis = 0};
    for (const auto& size : type.shape().dim())
      flow.shape.push_back(size.dim_value() > 0 ? size.dim_value() : kUnknown);
    flow.axis = flow.shape.size() - 1;
    if (flow.width() < 1 || flow.width() > static_cast<std::int64_t>(kWidthMax))
      return unsupported(std::format("input '{}' must have 1 to {} columns", shortened(input.name()), kWidthMax));
    return flows_.set(input.name(), std::move(flow));
  }

  Result<NetworkDescription> finish(const std::string& output) {
    const auto end = value(output);
    if (!end) return std::unexpected(end.error());
    const Flow* const flow = std::get_if<Flow>(*end);
    if (flow == nullptr) return malformed("its output does not depend on its input");
    const std::vector<const Step*> chain = flows_.chain(*flow);
    const std::size_t inputs = static_cast<std::size_t>(
        graph_.input(static_cast<int>(flow->input)).type().tensor_type().shape().dim().rbegin()->dim_value());
    if (chain.empty()) return unsupported("it has no dense layer");
    if (flows_.is_state(flow->input)) return unsupported("one input is both observation and state");
    return assemble(inputs, chain, reading_);
  }

  // ---- nodes

  Result<> evaluate(const onnx::NodeProto& node) {
    if (!node.domain().empty() && node.domain() != "ai.onnx") return unsupported(node, "operators of another domain");
    if (node.output_size() < 1) return unsupported(node, "it makes nothing");
    if (node.op_type() == "Constant") return flows_.keep(node, read_constant(node));
    Inputs inputs;
    bool constant = true;
    for (int i = 0; i < inputs_read(node); ++i) {
      const std::string& name = node.input(i);
      inputs.push_back(nullptr);
      if (name.empty()) continue;
      const auto found = value(name);
      if (!found) return std::unexpected(found.error());
      inputs.back() = *found;
      constant = constant && std::holds_alternative<Tensor>(**found);
    }
    if (constant) return fold_node(node, inputs);
    return follow(node, inputs);
  }

  Result<> fold_node(const onnx::NodeProto& node, const Inputs& inputs) {
    if (node.op_type() == "ConstantOfShape") return zeros(node);
    if (node.op_type() == "Expand") return expanded_constant(node, inputs);
    std::vector<const Tensor*> tensors;
    for (const Value* input : inputs) tensors.push_back(input == nullptr ? nullptr : std::get_if<Tensor>(input));
    auto folded = fold(node, tensors);
    if (!folded) return std::unexpected(folded.error());
    if (!*folded) return not_read(node);
    return flows_.keep(node, std::move(**folded));
  }

  static std::unexpected<Error> not_read(const onnx::NodeProto& node) {
    return unsupported(node, "this operator is not read into our engine");
  }

  Result<> zeros(const onnx::NodeProto& node) {
    const onnx::AttributeProto* const attribute = Attributes(node).find("value");
    if (attribute != nullptr) {
      const auto filled = read_tensor(attribute->t());
      if (!filled) return std::unexpected(filled.error());
      if (filled->whole || filled->size() != 1 || filled->numbers[0] != 0.0F)
        return unsupported(node, "only zeros are read");
    }
    flows_.set(node.output(0), Zeros{});
    return {};
  }

  // A first state, made as large as the batch.
  Result<> expanded_constant(const onnx::NodeProto& node, const Inputs& inputs) {
    const Tensor* const tensor = inputs.empty() || inputs[0] == nullptr ? nullptr : std::get_if<Tensor>(inputs[0]);
    if (tensor == nullptr || tensor->whole || !std::ranges::all_of(tensor->numbers, [](float x) { return x == 0.0F; }))
      return unsupported(node, "only zeros are expanded");
    flows_.set(node.output(0), Zeros{});
    return {};
  }

  // Nodes that take what depends on an input.
  Result<> follow(const onnx::NodeProto& node, const Inputs& inputs) {
    for (const auto& known : {arithmetic_operators(), recurrent_operators(), shape_operators()})
      for (const Operator& one : known)
        if (one.name == node.op_type()) return one.read(flows_, node, inputs);
    return not_read(node);
  }

  const onnx::GraphProto& graph_;
  const OnnxReading& reading_;
  std::map<std::string, const onnx::TensorProto*> initialisers_;
  std::map<std::string, int> makers_;  // of values: nodes
  Flows flows_;
};

Result<> check_versions(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& set : model.opset_import()) {
    if (!set.domain().empty() && set.domain() != "ai.onnx") continue;
    if (set.version() < kOpsetMin || set.version() > kOpsetMax)
      return fail(Errc::unsupported,
                  std::format("ONNX operator set {}; read are {} to {}", set.version(), kOpsetMin, kOpsetMax));
    return {};
  }
  return malformed("the operator set is not named");
}

}  // namespace

Result<NetworkDescription> from_onnx(std::string_view bytes, const OnnxReading& reading) {
  if (bytes.size() > kBytesMax) return malformed(std::format("{} bytes; at most {} are read", bytes.size(), kBytesMax));
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return malformed("the bytes are not an ONNX model");
  if (auto known = check_versions(model); !known) return std::unexpected(known.error());
  if (model.functions_size() > 0) return unsupported("local functions");
  return Reader(model.graph(), reading).read();
}

}  // namespace rltune::nn
