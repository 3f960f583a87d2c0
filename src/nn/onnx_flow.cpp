#include "onnx_flow.hpp"

#include <algorithm>
#include <format>

#include "network_description.hpp"

namespace rltune::nn::onnx_graph {
namespace {

constexpr std::size_t kFoldedMax = 16U << 20U;  // elements of all tensors that folding makes

}  // namespace

const Value* Flows::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

const Value* Flows::set(const std::string& name, Value value) {
  return &values_.emplace(name, std::move(value)).first->second;
}

Result<> Flows::keep(const onnx::NodeProto& node, Result<Tensor> tensor) {
  if (!tensor) return std::unexpected(tensor.error());
  folded_ += tensor->size();
  if (folded_ > kFoldedMax) return malformed("its constants grow too large");
  set(node.output(0), std::move(*tensor));
  return {};
}

Result<> Flows::put(const onnx::NodeProto& node, Flow flow) {
  set(node.output(0), std::move(flow));
  return {};
}

Result<> Flows::put(const onnx::NodeProto& node, Flow flow, Step step) {
  step.where = label(node);
  follow(flow, std::move(step));
  return put(node, std::move(flow));
}

void Flows::follow(Flow& flow, Step step) {
  parents_.push_back(flow.step);
  flow.step = steps_.size();
  steps_.push_back(std::move(step));
}

Step::Kind Flows::kind(const Flow& flow) const {
  return flow.step == kNone ? Step::Kind::affine : steps_[flow.step].kind;
}

std::size_t Flows::before(const Flow& flow) const { return flow.step == kNone ? kNone : parents_[flow.step]; }

Result<> Flows::count_weights(std::size_t more) {
  weights_ += more;
  if (weights_ > kWeightsMax) return malformed(std::format("more than {} weights", kWeightsMax));
  return {};
}

std::vector<const Step*> Flows::chain(const Flow& flow) const {
  std::vector<const Step*> chain;
  for (std::size_t at = flow.step; at != kNone; at = parents_[at]) chain.push_back(&steps_[at]);
  std::ranges::reverse(chain);
  return chain;
}

const Flow* flow_of(const Inputs& inputs, std::size_t at) {
  return at < inputs.size() && inputs[at] != nullptr ? std::get_if<Flow>(inputs[at]) : nullptr;
}

const Tensor* tensor_of(const Inputs& inputs, std::size_t at) {
  return at < inputs.size() && inputs[at] != nullptr ? std::get_if<Tensor>(inputs[at]) : nullptr;
}

bool zero(const Inputs& inputs, std::size_t at) {
  return inputs.size() == 2 && inputs[at] != nullptr && std::holds_alternative<Zeros>(*inputs[at]);
}

Result<Flow> data(const onnx::NodeProto& node, const Inputs& inputs) {
  const Flow* const flow = flow_of(inputs, 0);
  if (flow == nullptr) return unsupported(node, "it must take what comes of the observation first");
  return *flow;
}

Result<Flow> rows(const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (flow && flow->part_of_state) return unsupported(node, "it takes a part of an input");
  if (flow && !flow->is_row()) return unsupported(node, "its rows are transposed");
  return flow;
}

Result<> same(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  if (zero(inputs, 0)) {
    flows.set(node.output(0), Zeros{});
    return {};
  }
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  return flows.put(node, std::move(*flow));
}

}  // namespace rltune::nn::onnx_graph
