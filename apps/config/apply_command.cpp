// rltune config apply FILE: the way every change of a configuration takes.
#include <format>
#include <memory>
#include <print>

#include "config.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/configstore/change.hpp"

namespace rltune::config_command {
namespace {

struct ApplyOptions {
  std::filesystem::path file, folder;
  std::string reason, author;
  bool dry_run = false, json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void print_plan(const configstore::Plan& plan) {
  if (plan.found)
    std::println(stderr, "{} was changed without rltune config; {}", plan.name,
                 plan.found_is_good ? "that is recorded first"
                                    : std::format("it is not valid, and is kept as {}.replaced", plan.name));
  if (plan.first) return std::println("{}: the first version", plan.name);
  if (plan.changes.empty())
    std::println("{}: no field changes, comments or order alone", plan.name);
  else
    std::println("{}: {}", plan.name, counted(plan.changes.size(), "change"));
  print(plan.changes);
}

void say_who_restarts(const configstore::Plan& plan, bool dry_run) {
  if (plan.first) return;
  const auto roles = config::restarts(plan.changes);
  if (roles.empty()) return std::println("No role has to restart.");
  std::println("{} {}", dry_run ? "Would take it over at their next start:" : "Take it over at their next start:",
               joined(roles));
}

void apply(const ApplyOptions& options) {
  const std::filesystem::path folder =
      options.folder.empty() ? std::filesystem::absolute(options.file).parent_path() : options.folder;
  const config::Checked checked = config::check(or_stop(config::load_text(options.file)));
  if (!checked.faults.empty()) refuse(options.file.string(), checked.faults, options.json);
  if (!options.dry_run && options.reason.empty()) stop(kWrongUsage, "a change needs --reason TEXT (or --dry-run)");
  const configstore::Plan plan = or_stop(configstore::plan_change(folder, options.file));
  if (!options.json) print_plan(plan);
  std::optional<configstore::Version> version;
  if (!options.dry_run && !plan.same)
    version = or_stop(configstore::apply_change(
        folder, plan,
        {options.author.empty() ? command::user_name() : options.author, options.reason, WallClock().now()}));
  if (options.json) {
    ordered_json out{{"file", plan.name},
                     {"schema", to_string(plan.schema)},
                     {"dry_run", options.dry_run},
                     {"applied", version.has_value()},
                     {"first", plan.first}};
    out["version"] = version ? ordered_json(version->id) : ordered_json(nullptr);
    out["changes"] = to_json(plan.changes);
    out["restarts"] = plan.first ? std::vector<std::string>() : config::restarts(plan.changes);
    return std::println("{}", out.dump(2));
  }
  if (plan.same) return std::println("Nothing to do: the newest version holds it as it is.");
  say_who_restarts(plan, options.dry_run);
  if (!version) return;
  const std::string id = version->id.substr(0, 10);
  if (plan.base.empty()) return std::println("Version {}.", id);
  std::println("Version {}. Back to what was: rltune config restore HEAD~1 --folder {} --reason TEXT", id,
               folder.string());
}

}  // namespace

void add_apply_command(CLI::App& app) {
  const auto options = std::make_shared<ApplyOptions>();
  CLI::App& verb = *app.add_subcommand("apply", "Make a file the configuration of its kind, as a new version");
  verb.add_option("file", options->file, "The file: a draft anywhere, or the one in the site's folder")->required();
  verb.add_option("--reason", options->reason, "Why; it stays in the history")->type_name("TEXT");
  verb.add_option("--folder", options->folder, "The site's folder; the file's own when left out")->type_name("DIR");
  verb.add_option("--author", options->author, "Who; you when left out")->type_name("NAME");
  verb.add_flag("--dry-run", options->dry_run, "Only say what would change and who would restart");
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.footer(
      "All or nothing, whatever happens meanwhile. Examples:\n"
      "  rltune config apply draft.yaml --folder north --dry-run\n"
      "  rltune config apply draft.yaml --folder north --reason 'the boiler was replaced'\n"
      "  rltune config apply north/site.yaml --reason 'edited in place'");
  verb.callback([options] { apply(*options); });
}

}  // namespace rltune::config_command
