#include "defaults.hpp"

#include <array>

namespace rltune::rl {
namespace {

constexpr std::array<PlantDefault, 1> kDefaults{{
    {"lettuce", "sac", "reward_scale", "100"},
}};

}  // namespace

std::span<const PlantDefault> plant_defaults() noexcept { return kDefaults; }

}  // namespace rltune::rl
