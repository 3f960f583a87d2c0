#include "defaults.hpp"

#include <array>

namespace rltune::rl {
namespace {

constexpr std::array<PlantDefault, 12> kDefaults{{
    // Chosen by trial on synthetic weather. A discount this short still covers the rate limits of the actuators; what
    // a season brings beyond it hardly depends on one action.
    {"lettuce", "ppo", "n_timesteps", "16000000"},
    {"lettuce", "ppo", "n_envs", "256"},
    {"lettuce", "ppo", "n_steps", "64"},
    {"lettuce", "ppo", "batch_size", "4096"},
    {"lettuce", "ppo", "hidden", "96x96"},
    {"lettuce", "ppo", "activation", "relu"},
    {"lettuce", "ppo", "gamma", "0.9"},
    {"lettuce", "ppo", "learning_rate", "0.001"},
    {"lettuce", "ppo", "learning_rate_critic", "0.002"},
    {"lettuce", "ppo", "log_std_start", "-1"},
    {"lettuce", "sac", "gamma", "0.9"},
    {"lettuce", "sac", "reward_scale", "100"},
}};

}  // namespace

std::span<const PlantDefault> plant_defaults() noexcept { return kDefaults; }

}  // namespace rltune::rl
