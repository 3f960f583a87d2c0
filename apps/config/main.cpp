// rltune-config serves the noun config: check, change and look back at the configuration of a site.
#include <print>

#include "config.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/secret.hpp"

namespace rltune::config_command {

ordered_json to_json(const std::string& file, const std::vector<config::Fault>& faults) {
  ordered_json out = ordered_json::array();
  for (const config::Fault& fault : faults)
    out.push_back({{"file", file},
                   {"line", fault.line},
                   {"field", fault.field.empty() ? "document" : fault.field},
                   {"message", fault.message}});
  return out;
}

ordered_json to_json(const std::vector<config::Change>& changes) {
  ordered_json out = ordered_json::array();
  for (const config::Change& change : changes)
    out.push_back({{"field", change.field},
                   {"was", change.was},
                   {"is", change.is},
                   {"restarts", change.restarts},
                   {"live", change.live}});
  return out;
}

ordered_json to_json(const configstore::Version& version) {
  return {{"version", version.id},
          {"time", format_rfc3339(version.entry.time)},
          {"author", version.entry.author},
          {"reason", config::redact(version.entry.reason)},
          {"files", version.files}};
}

void refuse(const std::string& file, const std::vector<config::Fault>& faults, bool json) {
  if (json)
    std::println("{}", ordered_json{{"valid", false}, {"faults", to_json(file, faults)}}.dump(2));
  else
    std::println(stderr, "{}", config::to_text(file, faults));
  throw Exit{kFailed};
}

void print(const std::vector<config::Change>& changes) {
  for (const config::Change& change : changes) {
    std::string roles;
    const auto name = [&roles](const char* what, const std::vector<std::string>& holders) {
      for (std::size_t i = 0; i < holders.size(); ++i) roles += (i == 0 ? what : ", ") + holders[i];
    };
    name("   restarts ", change.restarts);
    name("   live in ", change.live);
    std::println("  {}: {} -> {}{}", change.field, change.was.empty() ? "(none)" : change.was,
                 change.is.empty() ? "(none)" : change.is, roles);
  }
}

}  // namespace rltune::config_command

int main(int argc, char** argv) {
  using namespace rltune::config_command;
  rltune::log::start("config");
  CLI::App app{"Check, change and look back at the configuration of a site.", "rltune config"};
  app.require_subcommand(1);
  add_file_commands(app);
  add_apply_command(app);
  add_version_commands(app);
  app.footer(
      "'rltune config <verb> --help' has examples; docs/config.md lists every field of every kind of file.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  return rltune::command::run(app, argc, argv);
}
