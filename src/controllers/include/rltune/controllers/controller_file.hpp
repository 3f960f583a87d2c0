// A controller with its numbers, as `rltune controller tune` writes it and people edit it:
//
//   schema: rltune/controller/v1
//   plant: lettuce
//   controller: rule
//   parameters: {heat_gain: 30, ...}
//   tuning: {weather: synthetic, steps: 1000000, ...}     where the numbers come from; for readers alone
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/controllers/registry.hpp"

namespace rltune::controllers {

struct ControllerFile {
  std::string plant;
  std::string controller;
  ParameterValues parameters;
  std::map<std::string, std::string> tuning;
};

// Strict: unknown fields and values that are not numbers are errors, with file and line. Whether the parameters are
// the controller's is make_controller()'s to say.
Result<ControllerFile> load_controller_file(const std::filesystem::path& path);
Result<> save_controller_file(const std::filesystem::path& path, const ControllerFile& file);

}  // namespace rltune::controllers
