// rltune upgrade check|apply|rollback|status: the operator's side.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/upgrade/upgrade.hpp"
#include "upgrade_app.hpp"

namespace rltune::upgrade_app {
namespace {

using command::counted;
using command::kFailed;
using command::stop;
using nlohmann::ordered_json;

struct CommandOptions {
  upgrade::Options upgrade;
  std::filesystem::path bundle;
  double deadline_s = 90.0, hold_s = 5.0;
  bool json = false;
};

upgrade::Options prepared(const CommandOptions& options) {
  upgrade::Options ready = options.upgrade;
  ready.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * options.deadline_s));
  ready.hold = std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * options.hold_s));
  ready.user = command::user_name();
  // Unpacking is one step a file; a person wants to see the others.
  ready.on_step = [](const std::string& step) {
    const bool one_file_more = step.starts_with("unpack ") && step != "unpack bin/rltune";
    if (!one_file_more) std::println(stderr, "{}", step);
  };
  return ready;
}

std::string named(const std::string& version) { return version.empty() ? "nothing" : version; }

ordered_json to_json(const upgrade::Outcome& outcome) {
  ordered_json out{{"from", outcome.from},
                   {"to", outcome.to},
                   {"current", outcome.current},
                   {"changed", outcome.changed},
                   {"undone", outcome.undone},
                   {"why", outcome.why},
                   {"unit_differs", outcome.unit_differs}};
  out["sites"] = ordered_json::array();
  for (const upgrade::SiteOutcome& site : outcome.sites)
    out["sites"].push_back(
        {{"site", site.site.string()}, {"well", site.well}, {"held_s", site.held_s}, {"why", site.why}});
  return out;
}

void print(const upgrade::Outcome& outcome) {
  for (const upgrade::SiteOutcome& site : outcome.sites) {
    if (site.well)
      std::println("{}: as healthy as before; its outputs were held for {:.1f} s at most", site.site.string(),
                   site.held_s);
    else
      std::println("{}: NOT WELL: {}", site.site.string(), site.why);
  }
  if (!outcome.changed)
    std::println("{} is current already", outcome.current);
  else if (outcome.undone)
    std::println("undone: {} is current; {} was given up: {}", named(outcome.current), outcome.to, outcome.why);
  else
    std::println("{} -> {}; back again: rltune upgrade rollback", named(outcome.from), outcome.current);
  if (outcome.unit_differs) std::println("the systemd unit is another one: systemctl daemon-reload");
}

void tell(const upgrade::Outcome& outcome, bool json) {
  if (json)
    std::println("{}", to_json(outcome).dump(2));
  else
    print(outcome);
  const bool well = std::ranges::all_of(outcome.sites, &upgrade::SiteOutcome::well);
  if (outcome.undone || !well) throw command::Exit{kFailed};
}

void check(const CommandOptions& options) {
  const auto bundle = upgrade::check(options.bundle, prepared(options));
  if (!bundle) stop(bundle.error());
  const upgrade::Manifest& manifest = bundle->manifest;
  const std::string current = upgrade::Root(options.upgrade.root).current();
  if (options.json)
    return std::println("{}", ordered_json{{"bundle", options.bundle.string()},
                                           {"version", manifest.version},
                                           {"architecture", manifest.architecture},
                                           {"created", manifest.created},
                                           {"key", manifest.key},
                                           {"files", manifest.files.size()},
                                           {"current", current}}
                                  .dump(2));
  std::println("{}: whole, {} for {} of {}, signed by {}", options.bundle.string(), manifest.version,
               manifest.architecture, manifest.created, manifest.key);
  std::println("It reads what the running sites have, and there is a way back to {}.", named(current));
}

void apply(const CommandOptions& options) {
  if (!options.bundle.empty()) {
    const auto outcome = upgrade::apply(options.bundle, prepared(options));
    if (!outcome) stop(outcome.error());
    return tell(*outcome, options.json);
  }
  const auto outcome = upgrade::finish(prepared(options));
  if (!outcome) stop(outcome.error());
  if (!*outcome) stop(kFailed, "nothing is under way; name a bundle");
  tell(**outcome, options.json);
}

void rollback(const CommandOptions& options) {
  const auto outcome = upgrade::rollback(prepared(options));
  if (!outcome) stop(outcome.error());
  tell(*outcome, options.json);
}

ordered_json to_json(const upgrade::Standing& standing) {
  ordered_json out{{"current", standing.current},
                   {"previous", standing.previous},
                   {"versions", standing.versions},
                   {"under_way", nullptr},
                   {"sites", ordered_json::array()}};
  if (standing.note)
    out["under_way"] = {{"kind", upgrade::to_string(standing.note->kind)},
                        {"step", upgrade::to_string(standing.note->step)},
                        {"from", standing.note->from},
                        {"to", standing.note->to},
                        {"begun", standing.note->begun}};
  for (const auto& [running, state] : standing.sites)
    out["sites"].push_back({{"site", running.site.string()},
                            {"run_folder", running.run_folder.string()},
                            {"process", running.pid},
                            {"version", running.version},
                            {"answers", state.answers},
                            {"roles", state.roles}});
  return out;
}

void status(const CommandOptions& options) {
  const auto standing = upgrade::status(options.upgrade.root);
  if (!standing) stop(standing.error());
  if (options.json) return std::println("{}", to_json(*standing).dump(2));
  std::println("{:<12} {}", "current", named(standing->current));
  std::println("{:<12} {}", "previous", named(standing->previous));
  for (const auto& [running, state] : standing->sites)
    std::println("{:<12} {} runs {}, {} of {} healthy{}", "site", running.site.string(), running.version,
                 state.healthy().size(), counted(state.roles.size(), "role"), state.answers ? "" : "; does not answer");
  if (standing->note)
    std::println(
        "{:<12} {} of {} -> {} since {}, at '{}'; if no command works on it, it was killed:\n"
        "{:<12} rltune upgrade apply finishes it, rltune upgrade rollback undoes it",
        "under way", upgrade::to_string(standing->note->kind), named(standing->note->from), standing->note->to,
        standing->note->begun, upgrade::to_string(standing->note->step), "");
}

CLI::App& add(CLI::App& app, const std::string& verb, const std::string& about,
              const std::shared_ptr<CommandOptions>& options, void (*run)(const CommandOptions&)) {
  CLI::App& command = *app.add_subcommand(verb, about);
  command.add_option("--root", options->upgrade.root, "Where the versions lie")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.callback([options, run] { run(*options); });
  return command;
}

void add_deadline(CLI::App& command, const std::shared_ptr<CommandOptions>& options) {
  command
      .add_option("--deadline", options->deadline_s,
                  "Seconds for each site to be as healthy as before; then it is undone")
      ->type_name("S")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  command.add_option("--hold", options->hold_s, "Seconds for what writes to the plant to be healthy again")
      ->type_name("S")
      ->check(CLI::Range(0.5, 600.0))
      ->capture_default_str();
  command.add_option("--reason", options->upgrade.reason, "Why, for the audit log")->type_name("TEXT");
}

void add_one_way(CLI::App& command, const std::shared_ptr<CommandOptions>& options) {
  command.add_flag("--one-way", options->upgrade.one_way,
                   "Also where its data could not be read by the current version");
}

}  // namespace

void add_upgrade_commands(CLI::App& app) {
  const auto make = [] { return std::make_shared<CommandOptions>(); };
  auto options = make();
  CLI::App& checks = add(app, "check", "Whether this host would take a bundle; changes nothing", options, check);
  checks.add_option("bundle", options->bundle, "The file")->required()->check(CLI::ExistingFile);
  add_one_way(checks, options);
  checks.footer("Example:\n  rltune upgrade check rltune_0.2.0_amd64.bundle");

  options = make();
  CLI::App& applies = add(app, "apply", "Go over to a bundle's version, every running site with it", options, apply);
  applies.add_option("bundle", options->bundle, "The file; without one, what a killed command began is finished")
      ->check(CLI::ExistingFile);
  add_one_way(applies, options);
  add_deadline(applies, options);
  applies.footer(
      "Each site stops and starts again, its outputs held meanwhile. One that is not as healthy as before within the\n"
      "deadline takes everything back to the version of before; the exit status is 1 then.\n\n"
      "Examples:\n  rltune upgrade apply rltune_0.2.0_amd64.bundle --reason 'the new schedule'\n  rltune upgrade "
      "apply");

  options = make();
  CLI::App& back = add(app, "rollback", "Go back to the version before", options, rollback);
  add_deadline(back, options);
  back.footer("Example:\n  rltune upgrade rollback --reason 'the vents hunt since'");

  options = make();
  add(app, "status", "Versions, sites, and what is under way", options, status)
      .footer("Example:\n  rltune upgrade status --json");
}

}  // namespace rltune::upgrade_app
