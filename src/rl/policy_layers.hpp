// What the algorithms share around their networks: policies out and in, and checkpoints of networks.
#pragma once

#include "normaliser.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/nn/adam.hpp"
#include "rltune/nn/mlp.hpp"
#include "rltune/nn/policy_network.hpp"

namespace rltune::rl {

// The deterministic policy: the first `actions` outputs of `actor`, squashed by `last`.
nn::NetworkDescription describe_policy(const nn::Mlp& actor, const Normaliser& normaliser, std::size_t actions,
                                       nn::Activation last);
// The inverse. Errors: mismatch (says which shape).
Result<> adopt_policy(const nn::NetworkDescription& network, nn::Mlp& actor, Normaliser& normaliser,
                      std::size_t actions, nn::Activation last);

void archive_adam(Archive& archive, nn::Adam& adam);
// Parameters and optimiser; after reading, ready for backward passes.
void archive_network(Archive& archive, nn::Mlp& net, nn::Adam& adam);

}  // namespace rltune::rl
