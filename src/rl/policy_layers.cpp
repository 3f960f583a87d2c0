#include "policy_layers.hpp"

#include <format>

namespace rltune::rl {

nn::NetworkDescription describe_policy(const nn::Mlp& actor, const Normaliser& normaliser, std::size_t actions,
                                       nn::Activation last) {
  nn::NetworkDescription network;
  network.mean.assign(normaliser.mean().begin(), normaliser.mean().end());
  network.scale.assign(normaliser.scale().begin(), normaliser.scale().end());
  network.clip = normaliser.clip();
  for (std::size_t l = 0; l + 1 < actor.layers(); ++l) network.layers.push_back(actor.layer(l));
  network.layers.push_back(actor.layer(actor.layers() - 1, actions));
  network.layers.back().activation = last;
  return network;
}

Result<> adopt_policy(const nn::NetworkDescription& network, nn::Mlp& actor, Normaliser& normaliser,
                      std::size_t actions, nn::Activation last) {
  const nn::NetworkDescription own = describe_policy(actor, normaliser, actions, last);
  if (network.mean.size() != own.mean.size())
    return fail(Errc::mismatch,
                std::format("the policy observes {} variables, the learner {}", network.mean.size(), own.mean.size()));
  if (network.layers.size() != own.layers.size())
    return fail(Errc::mismatch, std::format("the policy has {} layers, the learner is set to {}", network.layers.size(),
                                            own.layers.size()));
  for (std::size_t l = 0; l < own.layers.size(); ++l) {
    const nn::DenseLayer &theirs = network.layers[l], &ours = own.layers[l];
    if (theirs.inputs != ours.inputs || theirs.outputs != ours.outputs || theirs.activation != ours.activation)
      return fail(Errc::mismatch,
                  std::format("layer {} of the policy is {} to {}, the learner's {} to {}, or another activation",
                              l + 1, theirs.inputs, theirs.outputs, ours.inputs, ours.outputs));
  }
  for (std::size_t l = 0; l < own.layers.size(); ++l) actor.set_layer(l, network.layers[l]);
  actor.prepare_backward();
  normaliser.adopt(network.mean, network.scale);
  return {};
}

void archive_adam(Archive& archive, nn::Adam& adam) {
  std::uint64_t steps = adam.steps();
  archive.value(steps);
  adam.set_steps(steps);
  archive.values(adam.first_moment());
  archive.values(adam.second_moment());
}

void archive_network(Archive& archive, nn::Mlp& net, nn::Adam& adam) {
  archive.values(net.parameters());
  archive_adam(archive, adam);
  if (archive.reading()) net.prepare_backward();
}

}  // namespace rltune::rl
