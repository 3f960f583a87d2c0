// `rltune twin serve`: from what the command line says to a running twin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::twin {

struct ServeArguments {
  std::string plant = "lettuce";
  std::string weather = "synthetic";
  std::string time_zone = "UTC";
  std::string start;  // empty: the file's first row, or 9 February 2014
  double days = 0.0;  // 0: the plant's published season
  std::uint64_t weather_seed = 1;
  std::uint64_t seed = 1;
  std::map<std::string, double> settings;
  double parameter_noise = 0.0;
  std::string parameter_noise_per = "step";
  double observation_noise = 0.0;
  std::filesystem::path randomisation;
  std::string forecast = "perfect";
  double forecast_hours = 12.0;
  std::size_t forecast_leads = 12;

  std::string clock = "wall";
  double speed = 1.0;
  double sample_period_s = 0.0;
  double shed_after_s = 5.0;
  std::filesystem::path state;
  std::size_t state_sync = 1;
  std::filesystem::path dcs_file;
  bool test_faults = false;

  std::string listen = "127.0.0.1";
  std::uint16_t port = 4840;
  std::filesystem::path pki;
  std::vector<std::filesystem::path> trust;
  std::string user = "rltune";
  std::filesystem::path password_file;
  std::string dcs_user;
  std::filesystem::path dcs_password_file;
  bool allow_none = false;
  std::optional<std::uint16_t> endpoint_port;  // of /metrics and /healthcheck; nothing: none
  bool json = false;
};

// Serves until SIGINT or SIGTERM. Errors: invalid_argument and not_found are the user's.
Result<> serve(const ServeArguments& arguments);

}  // namespace rltune::twin
