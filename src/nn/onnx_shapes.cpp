// Operators that leave the numbers as they are: what they do to the shapes, and to the order of axes.
#include <algorithm>

#include "network_description.hpp"
#include "onnx_flow.hpp"

namespace rltune::nn::onnx_graph {
namespace {

Result<> cast(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const std::int64_t to = Attributes(node).integer("to", 0);
  if (to != onnx::TensorProto::FLOAT &&
      !(flows.chosen(*flow) && (to == onnx::TensorProto::INT64 || to == onnx::TensorProto::INT32)))
    return unsupported(node, "only casts to 32-bit floats are read");
  return flows.put(node, std::move(*flow));
}

Result<> flatten(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = rows(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const auto axis = axis_of(node, Attributes(node).integer("axis", 1), flow->shape.size());
  if (!axis) return std::unexpected(axis.error());
  for (std::size_t i = *axis; i < flow->axis; ++i)
    if (flow->shape[i] != 1) return unsupported(node, "it joins several rows");
  if (*axis == 0) return unsupported(node, "it joins several rows");
  flow->shape = {flow->shape.size() == 2 ? flow->shape[0] : kUnknown, flow->width()};
  flow->axis = 1;
  return flows.put(node, std::move(*flow));
}

bool one_row_a_batch(const Flow& flow) {
  return flow.shape.size() == 2 || (flow.shape.size() == 3 && (flow.shape[0] == 1 || flow.shape[1] == 1));
}

Result<> reshape(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (flows.chosen(*flow)) return flows.put(node, std::move(*flow));
  const Tensor* const wanted = tensor_of(inputs, 1);
  if (wanted == nullptr || !wanted->whole || !flow->is_row() || wanted->size() < 2 || wanted->size() > 4)
    return unsupported(node, "its shape must be a constant");
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const std::int64_t size = wanted->integers[i];
    shape.push_back(size == 0 && i < flow->shape.size() ? flow->shape[i] : size > 0 ? size : kUnknown);
  }
  if (shape.back() == kUnknown && !one_row_a_batch(*flow)) return unsupported(node, "it may join rows");
  if (shape.back() != kUnknown && shape.back() != flow->width()) return unsupported(node, "it cuts or joins rows");
  shape.back() = flow->width();
  flow->shape = std::move(shape);
  flow->axis = flow->shape.size() - 1;
  return flows.put(node, std::move(*flow));
}

Result<> squeeze(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (flows.chosen(*flow)) return flows.put(node, std::move(*flow));
  auto axes = axes_of(node, tensor_of(inputs, 1), flow->shape.size());
  if (!axes) return std::unexpected(axes.error());
  if (axes->empty()) return unsupported(node, "it must name its axes");
  std::ranges::sort(*axes, std::greater<>());
  for (const std::size_t axis : *axes) {
    if (axis == flow->axis || (flow->shape[axis] != 1 && flow->shape[axis] != kUnknown))
      return unsupported(node, "it drops an axis of more than one");
    flow->shape.erase(flow->shape.begin() + static_cast<std::ptrdiff_t>(axis));
    if (axis < flow->axis) --flow->axis;
  }
  return flows.put(node, std::move(*flow));
}

Result<> unsqueeze(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (flows.chosen(*flow)) return flows.put(node, std::move(*flow));
  const Tensor* const given = tensor_of(inputs, 1);
  const onnx::AttributeProto* const attribute = Attributes(node).find("axes");
  const std::size_t added = given != nullptr       ? given->size()
                            : attribute != nullptr ? static_cast<std::size_t>(attribute->ints_size())
                                                   : 0;
  if (added == 0 || flow->shape.size() + added > 4) return unsupported(node, "its axes");
  auto axes = axes_of(node, given, flow->shape.size() + added);
  if (!axes) return std::unexpected(axes.error());
  std::ranges::sort(*axes);
  for (const std::size_t axis : *axes) {
    flow->shape.insert(flow->shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    if (axis <= flow->axis) ++flow->axis;
  }
  return flows.put(node, std::move(*flow));
}

Result<> transpose(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const auto order = permutation_of(node, flow->shape.size());
  if (!order) return std::unexpected(order.error());
  Flow turned = *flow;
  for (std::size_t i = 0; i < order->size(); ++i) {
    turned.shape[i] = flow->shape[(*order)[i]];
    if ((*order)[i] == flow->axis) turned.axis = i;
  }
  return flows.put(node, std::move(turned));
}

// A slice or an element of an axis: the last of a sequence, the only one, or a part of a state.
Result<> take(Flows& flows, const onnx::NodeProto& node, Flow flow, std::int64_t from, std::int64_t axis, bool drop) {
  const auto at = axis_of(node, axis, flow.shape.size());
  if (!at) return std::unexpected(at.error());
  const bool raw = flow.step == kNone;
  const bool last = from == -1 || (flow.shape[*at] == 1 && from == 0);
  if (!last && !raw) return unsupported(node, "of a sequence, the last element alone is read");
  if (*at == flow.axis || !last) flow.part_of_state = true;
  if (*at == flow.axis && (drop || !raw)) return unsupported(node, "it takes columns of a row");
  if (drop) {
    flow.shape.erase(flow.shape.begin() + static_cast<std::ptrdiff_t>(*at));
    if (*at < flow.axis) --flow.axis;
  } else if (*at != flow.axis) {
    flow.shape[*at] = last ? 1 : kUnknown;
  }
  return flows.put(node, std::move(flow));
}

Result<> slice(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const Tensor *const starts = tensor_of(inputs, 1), *const ends = tensor_of(inputs, 2);
  const Tensor *const axes = tensor_of(inputs, 3), *const steps = tensor_of(inputs, 4);
  const auto plain = [](const Tensor* t) { return t != nullptr && t->whole && t->size() == 1; };
  if (!plain(starts) || !plain(ends) || (axes != nullptr && !plain(axes)))
    return unsupported(node, "only slices along one axis are read");
  if (steps != nullptr && (!plain(steps) || steps->integers[0] != 1))
    return unsupported(node, "only steps of 1 are read");
  if (starts->integers[0] == -1 && ends->integers[0] < std::numeric_limits<std::int32_t>::max())
    return unsupported(node, "it takes nothing");
  return take(flows, node, std::move(*flow), starts->integers[0], axes == nullptr ? 0 : axes->integers[0], false);
}

Result<> gather(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  const Tensor* const index = tensor_of(inputs, 1);
  if (index == nullptr || !index->whole || !index->shape.empty())
    return unsupported(node, "its index must be one constant");
  return take(flows, node, std::move(*flow), index->integers[0], Attributes(node).integer("axis", 0), true);
}

Result<> split(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  auto flow = data(node, inputs);
  if (!flow) return std::unexpected(flow.error());
  if (flow->step != kNone) return unsupported(node, "only a state is split");
  flow->part_of_state = true;
  for (const std::string& name : node.output())
    if (!name.empty()) flows.set(name, *flow);
  return {};
}

Result<> shape(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs) {
  const Flow* const flow = flow_of(inputs, 0);
  if (flow == nullptr) return unsupported(node, "a shape of what has none");
  Tensor sizes{.shape = {flow->shape.size()}, .whole = true, .numbers = {}, .integers = flow->shape};
  return flows.keep(node, std::move(sizes));
}

constexpr Operator kShapes[] = {
    {"Identity", same},       {"Dropout", same},    {"Cast", cast},       {"Expand", same},
    {"Flatten", flatten},     {"Reshape", reshape}, {"Squeeze", squeeze}, {"Unsqueeze", unsqueeze},
    {"Transpose", transpose}, {"Slice", slice},     {"Gather", gather},   {"Split", split},
    {"Shape", shape},
};

}  // namespace

std::span<const Operator> shape_operators() { return kShapes; }

}  // namespace rltune::nn::onnx_graph
