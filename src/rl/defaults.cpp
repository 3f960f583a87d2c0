#include "defaults.hpp"

#include <array>

namespace rltune::rl {
namespace {

constexpr std::array<PlantDefault, 22> kDefaults{{
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
    // A gradient step for ten transitions: the twin gives them for nothing.
    {"lettuce", "sac", "n_timesteps", "1000000"},
    {"lettuce", "sac", "updates_per_step", "0.1"},
    {"lettuce", "sac", "learning_starts", "20000"},
    {"lettuce", "sac", "buffer_size", "500000"},
    {"lettuce", "sac", "hidden", "96x96"},
    {"lettuce", "sac", "gamma", "0.9"},
    {"lettuce", "sac", "reward_scale", "100"},
    {"lettuce", "sac", "temperature_start", "0.1"},
    {"lettuce", "sac", "learning_rate_actor", "0.0005"},
    {"lettuce", "sac", "learning_rate_critic", "0.001"},
    {"lettuce", "sac", "learning_rate_temperature", "0.001"},
    {"lettuce", "sac", "learning_rate_end", "0.05"},
}};

}  // namespace

std::span<const PlantDefault> plant_defaults() noexcept { return kDefaults; }

}  // namespace rltune::rl
