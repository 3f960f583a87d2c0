#include "network_description.hpp"

#include <cmath>
#include <format>
#include <span>

namespace rltune::nn {
namespace {

Result<> refuse(const std::string& reason) {
  return fail(Errc::invalid_argument, "the network is not sound: " + reason);
}

Result<> check_finite(std::span<const float> values, const std::string& name) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) return refuse(std::format("{}[{}] is not a finite number", name, i));
  return {};
}

Result<> check_layer(const DenseLayer& layer, std::size_t inputs, std::size_t index) {
  const std::string name = std::format("layer {}", index + 1);
  if (layer.inputs != inputs) return refuse(std::format("{} takes {} inputs, {} come in", name, layer.inputs, inputs));
  if (layer.outputs == 0 || layer.outputs > kWidthMax)
    return refuse(std::format("{} has {} outputs; allowed are 1 to {}", name, layer.outputs, kWidthMax));
  if (layer.weight.size() != layer.inputs * layer.outputs)
    return refuse(
        std::format("{} has {} weights instead of {}", name, layer.weight.size(), layer.inputs * layer.outputs));
  if (layer.bias.size() != layer.outputs)
    return refuse(std::format("{} has {} biases for {} outputs", name, layer.bias.size(), layer.outputs));
  if (auto finite = check_finite(layer.weight, name + " weight"); !finite) return finite;
  return check_finite(layer.bias, name + " bias");
}

}  // namespace

Result<> check(const NetworkDescription& description) {
  const std::size_t inputs = description.mean.size();
  if (inputs == 0 || inputs > kWidthMax)
    return refuse(std::format("{} inputs; allowed are 1 to {}", inputs, kWidthMax));
  if (description.scale.size() != inputs)
    return refuse(std::format("{} scales for {} means", description.scale.size(), inputs));
  if (auto finite = check_finite(description.mean, "mean"); !finite) return finite;
  if (auto finite = check_finite(description.scale, "scale"); !finite) return finite;
  if (!std::isfinite(description.clip) || description.clip < 0.0F) return refuse("clip must be 0 or more, and finite");
  if (description.layers.empty() || description.layers.size() > kLayersMax)
    return refuse(std::format("{} layers; allowed are 1 to {}", description.layers.size(), kLayersMax));
  std::size_t width = inputs;
  for (std::size_t i = 0; i < description.layers.size(); ++i) {
    if (auto sound = check_layer(description.layers[i], width, i); !sound) return sound;
    width = description.layers[i].outputs;
  }
  return {};
}

}  // namespace rltune::nn
