// What comes of an ONNX graph's inputs on the way to its output, node by node: the ground that its reader and the
// operators that it knows share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onnx_assembly.hpp"
#include "onnx_tensor.hpp"

namespace rltune::nn::onnx_graph {

inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Rows of numbers on their way: what a graph's input became. Sizes are kUnknown where only the run knows them.
struct Flow {
  std::size_t input = 0;     // of the graph
  std::size_t step = kNone;  // the last operation so far
  std::vector<std::int64_t> shape;
  std::size_t axis = 0;        // along which a row's numbers lie
  bool part_of_state = false;  // a slice of an input: initial values of a recurrent layer

  std::int64_t width() const { return shape[axis]; }
  bool is_row() const { return axis + 1 == shape.size(); }
};
struct Zeros {};  // numbers, all 0, of whatever shape
using Value = std::variant<Tensor, Flow, Zeros>;

// The values that a node takes; nullptr where one is left out.
using Inputs = std::vector<const Value*>;

// All values so far, by name, and the operations that made them.
class Flows {
 public:
  const Value* find(const std::string& name) const;
  const Value* set(const std::string& name, Value value);
  // A constant that a node makes. Errors: parse: all of them together are too large.
  Result<> keep(const onnx::NodeProto& node, Result<Tensor> tensor);
  // What a node makes: the flow as it is, or after one more operation.
  Result<> put(const onnx::NodeProto& node, Flow flow);
  Result<> put(const onnx::NodeProto& node, Flow flow, Step step);
  // The flow goes through one more operation.
  void follow(Flow& flow, Step step);

  // Of a flow's last operation; affine, and kNone, where there was none.
  Step::Kind kind(const Flow& flow) const;
  std::size_t before(const Flow& flow) const;
  // Its numbers are indices now; their shape is nobody's concern.
  bool chosen(const Flow& flow) const { return kind(flow) == Step::Kind::largest; }

  Result<> count_weights(std::size_t more);
  void note_state(std::size_t input) { states_.insert(input); }
  bool is_state(std::size_t input) const { return states_.contains(input); }
  // The operations that led to `flow`, the first one first.
  std::vector<const Step*> chain(const Flow& flow) const;

 private:
  std::map<std::string, Value> values_;
  std::vector<Step> steps_;
  std::vector<std::size_t> parents_;  // of each step
  std::set<std::size_t> states_;      // inputs that are initial values of recurrent layers
  std::size_t weights_ = 0;           // of all layers so far
  std::size_t folded_ = 0;            // elements of all constants that nodes made
};

const Flow* flow_of(const Inputs& inputs, std::size_t at);
const Tensor* tensor_of(const Inputs& inputs, std::size_t at);
bool zero(const Inputs& inputs, std::size_t at);  // of two

// What a node takes first; rows(): as rows. Errors: unsupported.
Result<Flow> data(const onnx::NodeProto& node, const Inputs& inputs);
Result<Flow> rows(const onnx::NodeProto& node, const Inputs& inputs);
// A node that changes nothing.
Result<> same(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs);

// A kind of node that takes what depends on an input.
struct Operator {
  std::string_view name;
  Result<> (*read)(Flows& flows, const onnx::NodeProto& node, const Inputs& inputs);
};
std::span<const Operator> arithmetic_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> shape_operators();

}  // namespace rltune::nn::onnx_graph
