// The plant's own control, in charge when no host is: simple loops that keep the plant safe, not profitable.
// A plant without loops of its own holds its last outputs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "rltune/env/plant_model.hpp"

namespace rltune::twin {

class LocalControl {
 public:
  explicit LocalControl(const env::PlantSpec& spec);

  // Writes the wanted inputs: within the actuators' limits and the plant's largest change a period.
  void act(std::span<const double> measurements, std::span<const double> previous,
           std::span<double> inputs) const noexcept;

 private:
  // input = bias + sum of gain x max(0, sign x (measurement - threshold))
  struct Term {
    std::size_t input;
    std::size_t measurement;
    double sign;
    double threshold;
    double gain;
  };
  struct Bounds {
    bool controlled = false;
    double bias = 0.0;
    double low = 0.0;
    double high = 0.0;
    double step_max = 0.0;
  };
  std::vector<Term> terms_;
  std::vector<Bounds> bounds_;
};

}  // namespace rltune::twin
