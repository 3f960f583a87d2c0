#include "common.hpp"

#include <nlohmann/json.hpp>
#include <print>

namespace rltune::lab {

void add_set_option(CLI::App& command, std::vector<std::string>& settings) {
  command.add_option("--set", settings, "Set a plant's parameter; may be repeated (c_leak=7.5e-5)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
}

void stop(int status, const std::string& message) { command::stop(status, message); }

void stop(const Error& error) {
  const bool usage = error.code == Errc::not_found || error.code == Errc::invalid_argument;
  stop(usage ? kWrongUsage : kFailed, error.message);
}

void print_json(const nlohmann::ordered_json& object) { std::println("{}", object.dump(2)); }

}  // namespace rltune::lab
