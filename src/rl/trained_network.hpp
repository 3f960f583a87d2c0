// A network with its optimiser.
#pragma once

#include <span>

#include "policy_layers.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/nn/adam.hpp"
#include "rltune/nn/mlp.hpp"

namespace rltune::rl {

class TrainedNetwork {
 public:
  TrainedNetwork(const nn::MlpShape& shape, Random& random, float output_gain)
      : net_(shape), adam_(net_.parameters().size()) {
    net_.initialise(random, output_gain);
  }

  // One step by the sum of both shards' gradients, which `one` then holds.
  void step(std::span<float> one, std::span<const float> other, const nn::AdamOptions& options) {
    nn::add(other, one);
    adam_.step(net_.parameters(), one, options);
    net_.prepare_backward();
  }

  nn::Mlp& network() noexcept { return net_; }
  const nn::Mlp& network() const noexcept { return net_; }
  void archive(Archive& archive) { archive_network(archive, net_, adam_); }

 private:
  nn::Mlp net_;
  nn::Adam adam_;
};

}  // namespace rltune::rl
