// What registry.cpp gathers: one entry a controller, and the spaces' lookups that they share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/controllers/registry.hpp"

namespace rltune::controllers {

// REQUIRES of make: fits(plant); values holds every parameter of parameters(plant).
struct KindEntry {
  const char* name;
  const char* description;
  bool tunable;
  bool (*fits)(const env::PlantSpec& plant);
  std::vector<ControllerParameter> (*parameters)(const env::PlantSpec& plant);
  Result<std::unique_ptr<Controller>> (*make)(const env::PlantSpec& plant, const ParameterValues& values);
};

KindEntry off_kind();
KindEntry hold_kind();
KindEntry schedule_kind();
KindEntry grower_kind();
KindEntry greenhouse_rule_kind();
KindEntry tracking_rule_kind();
KindEntry greenhouse_pid_kind();
KindEntry tracking_pid_kind();
KindEntry mpc_kind();

std::optional<std::size_t> find_variable(const env::Space& space, std::string_view name);

// Where the signals of a greenhouse stand in the plant's spaces.
struct GreenhouseSignals {
  std::size_t co2 = 0, temperature = 0, humidity = 0;        // measurements
  std::size_t co2_supply = 0, ventilation = 0, heating = 0;  // inputs
  std::size_t radiation = 0;                                 // exogenous
};
std::optional<GreenhouseSignals> greenhouse_signals(const env::PlantSpec& plant);

// One set-point that a plant is asked to follow and the input that moves it.
struct TrackingLoop {
  std::string name;  // of the measurement
  std::size_t measurement = 0, setpoint = 0, input = 0;
  double gain_sign = 1.0;  // of the input on the measurement
};
std::vector<TrackingLoop> tracking_loops(const env::PlantSpec& plant);

}  // namespace rltune::controllers
