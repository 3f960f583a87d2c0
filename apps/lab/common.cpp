#include "common.hpp"

#include <charconv>
#include <cstdio>
#include <format>
#include <nlohmann/json.hpp>
#include <print>

namespace rltune::lab {

void add_set_option(CLI::App& command, std::vector<std::string>& settings) {
  command.add_option("--set", settings, "Set a plant's parameter; may be repeated (c_leak=7.5e-5)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
}

std::map<std::string, double> parse_settings(const std::vector<std::string>& settings, std::string_view option) {
  std::map<std::string, double> parsed;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    double value = 0.0;
    const char* const end = setting.data() + setting.size();
    if (equals == std::string::npos || equals == 0)
      stop(kWrongUsage, std::format("{} wants NAME=VALUE, not '{}'", option, setting));
    const auto [stopped, code] = std::from_chars(setting.data() + equals + 1, end, value);
    if (code != std::errc{} || stopped != end)
      stop(kWrongUsage,
           std::format("{} {}: '{}' is not a number", option, setting.substr(0, equals), setting.substr(equals + 1)));
    parsed[setting.substr(0, equals)] = value;
  }
  return parsed;
}

void stop(int status, const std::string& message) {
  std::println(stderr, "rltune: {}", message);
  throw Exit{status};
}

void stop(const Error& error) {
  const bool usage = error.code == Errc::not_found || error.code == Errc::invalid_argument;
  stop(usage ? kWrongUsage : kFailed, error.message);
}

void print_json(const nlohmann::ordered_json& object) { std::println("{}", object.dump(2)); }

}  // namespace rltune::lab
