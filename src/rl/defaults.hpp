// Hyperparameters that were tuned for a plant: they stand above the algorithm's own defaults.
#pragma once

#include <span>
#include <string_view>

namespace rltune::rl {

struct PlantDefault {
  std::string_view plant, algorithm, name, value;
};

std::span<const PlantDefault> plant_defaults() noexcept;

}  // namespace rltune::rl
