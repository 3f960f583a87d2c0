// Outside bytes as an ONNX file: whatever they are, an error or a network that can act.
#include <cstdlib>

#include "rltune/nn/policy_network.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::nn;
  const auto description = from_onnx({reinterpret_cast<const char*>(data), size});
  if (!description) return 0;
  auto network = PolicyNetwork::create(*description);
  if (!network) std::abort();  // what the reader accepts must be sound
  std::vector<float> observation(network->inputs(), 0.25F), action(network->outputs());
  network->act(observation, action);
  for (const float value : action)
    if (value > 1.0F || value < -1.0F) std::abort();
  return 0;
}
