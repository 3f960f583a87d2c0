#include "command.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <format>
#include <iostream>
#include <print>

#include "rltune/base/clock.hpp"
#include "rltune/base/id.hpp"

namespace rltune::command {

void stop(int status, const std::string& message) {
  std::println(stderr, "rltune: {}", message);
  throw Exit{status};
}

void stop(const Error& error) { stop(kFailed, error.message); }

void hold_standard_streams() {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file)
    if (::fcntl(file, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the lowest number that is free: this one
}

int run(CLI::App& app, int argc, char** argv) {
  hold_standard_streams();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  } catch (const Exit& exit) {
    return exit.status;
  } catch (const std::exception& error) {
    std::println(stderr, "rltune: {}", error.what());
    return kFailed;
  }
  return kDone;
}

void confirm(const std::string& question, bool yes) {
  if (yes) return;
  if (::isatty(STDIN_FILENO) == 0) stop(kWrongUsage, question + " Nobody is at a terminal to answer: pass --yes");
  std::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "Y" && answer != "yes") stop(kFailed, "nothing was changed");
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

std::string user_name() {
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr) return entry->pw_name;
  return std::to_string(::getuid());
}

const std::string& correlation_id() {
  static const std::string id = make_id(WallClock().now());
  return id;
}

std::string counted(std::size_t number, std::string_view what) {
  return std::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace rltune::command
