// Who is judged: a classical controller by name, one with its numbers from a file, or a policy's folder.
#pragma once

#include <string>
#include <vector>

#include "rltune/controllers/registry.hpp"
#include "rltune/env/plant_model.hpp"
#include "rltune/evaluation/evaluate.hpp"

namespace rltune::lab {

struct Entrant {
  std::string name;                         // as the user said it
  std::string kind;                         // "rule", or "policy"
  controllers::ParameterValues parameters;  // those given, for a classical controller
  std::string policy_sha256;                // of a policy
  std::size_t forecast_leads = 0;           // that it wants to see
  evaluation::ControllerFactory make;
};

// `text`: a controller's name, a folder with a policy, or a YAML file that tuning wrote; `settings`: name=value, over
// the file's. Stops the command with a message that lists the plant's controllers where it is none of them.
Entrant find_entrant(const std::string& text, const std::vector<std::string>& settings, const env::PlantSpec& plant);

}  // namespace rltune::lab
