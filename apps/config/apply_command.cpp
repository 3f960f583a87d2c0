// rltune config apply FILE: the way every change of a configuration takes; rltune config state: where the last one is.
#include <format>
#include <memory>
#include <print>

#include "config.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/configstore/change.hpp"
#include "running_site.hpp"

namespace rltune::config_command {
namespace {

struct ApplyOptions {
  std::filesystem::path file, folder, run_folder;
  std::string reason, author;
  double within_s = 30.0;
  bool dry_run = false, no_restart = false, json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// There is nothing to compare it with.
bool from_nothing(const configstore::Plan& plan) { return plan.first && !plan.found; }

void print_plan(const configstore::Plan& plan) {
  if (plan.found)
    std::println(stderr, "{} was changed without rltune config; {}", plan.name,
                 plan.found_is_good ? "that is recorded first"
                                    : std::format("it is not valid, and is kept as {}.replaced", plan.name));
  if (from_nothing(plan)) return std::println("{}: the first version", plan.name);
  if (plan.changes.empty())
    std::println("{}: no field changes, comments or order alone", plan.name);
  else
    std::println("{}: {}", plan.name, counted(plan.changes.size(), "change"));
  print(plan.changes);
}

void say_who_is_concerned(const configstore::Plan& plan, bool dry_run, bool running) {
  if (from_nothing(plan)) return;
  const auto restarts = config::restarts(plan.changes), live = config::live(plan.changes);
  if (restarts.empty() && live.empty()) return std::println("No role has to do anything.");
  if (!running) return std::println("The site does not run; its roles {} with it.", dry_run ? "would start" : "start");
  const char* const how = dry_run ? "Would take it over as they run" : "Take it over when they start again";
  if (!live.empty()) std::println("{}: {}", how, joined(live));
  if (!restarts.empty()) std::println("{}: {}", dry_run ? "Would start again" : how, joined(restarts));
}

// The running site takes it over, or goes back to what it was.
v1::ConfigAnswer take_over(RunningSite& site, const ApplyOptions& options, const std::string& text, bool in_place) {
  v1::ApplyConfigRequest request;
  request.set_text(text);
  request.set_in_place(in_place);
  request.set_author(options.author.empty() ? command::user_name() : options.author);
  request.set_reason(options.reason);
  return site.take_over(request, options.within_s);
}

ordered_json report(const configstore::Plan& plan, bool dry_run) {
  ordered_json out{{"file", plan.name},   {"schema", to_string(plan.schema)},
                   {"dry_run", dry_run},  {"applied", false},
                   {"first", plan.first}, {"version", nullptr}};
  out["changes"] = to_json(plan.changes);
  out["restarts"] = from_nothing(plan) ? std::vector<std::string>() : config::restarts(plan.changes);
  out["live"] = from_nothing(plan) ? std::vector<std::string>() : config::live(plan.changes);
  return out;
}

void say_version(const configstore::Plan& plan, const std::string& id, const std::filesystem::path& folder) {
  if (plan.base.empty()) return std::println("Version {}.", id.substr(0, 10));
  std::println("Version {}. Back to what was: rltune config restore HEAD~1 --folder {} --reason TEXT", id.substr(0, 10),
               folder.string());
}

void apply(const ApplyOptions& options) {
  const std::filesystem::path folder =
      options.folder.empty() ? std::filesystem::absolute(options.file).parent_path() : options.folder;
  const config::Checked checked = config::check(or_stop(config::load_text(options.file)));
  if (!checked.faults.empty()) refuse(options.file.string(), checked.faults, options.json);
  if (!options.dry_run && options.reason.empty()) stop(kWrongUsage, "a change needs --reason TEXT (or --dry-run)");
  const configstore::Plan plan = or_stop(configstore::plan_change(folder, options.file));
  if (!options.json) print_plan(plan);
  auto site = RunningSite::find(options.run_folder.empty() ? folder / ".rltune" : options.run_folder);
  ordered_json out = report(plan, options.dry_run);
  std::string version;
  std::optional<v1::ConfigAnswer> taken_over;
  if (!options.dry_run && site && !options.no_restart) {
    std::error_code ignored;
    taken_over =
        take_over(*site, options, plan.text, std::filesystem::equivalent(folder / plan.name, options.file, ignored));
    version = taken_over->version();
    out["takeover"] = to_json(*taken_over);
  } else if (!options.dry_run && !plan.same) {
    version = or_stop(configstore::apply_change(folder, plan,
                                                {options.author.empty() ? command::user_name() : options.author,
                                                 options.reason, WallClock().now()}))
                  .id;
  }
  const bool applied = !version.empty() && (!taken_over || taken_over->state() == "applied");
  if (options.json) {
    out["applied"] = applied;
    if (!version.empty()) out["version"] = version;
    std::println("{}", out.dump(2));
  } else if (taken_over) {
    say(*taken_over);
    if (applied) say_version(plan, version, folder);
  } else if (plan.same) {
    std::println("Nothing to do: the newest version holds it as it is.");
  } else {
    say_who_is_concerned(plan, options.dry_run, site.has_value());
    if (applied) say_version(plan, version, folder);
  }
  if (taken_over && !applied) throw Exit{kFailed};
}

void state(const ApplyOptions& options) {
  auto site = RunningSite::find(options.run_folder.empty() ? options.folder / ".rltune" : options.run_folder);
  if (!site) stop(kFailed, std::format("the site in {} does not run", options.folder.string()));
  const v1::ConfigAnswer answer = site->state();
  if (options.json) return std::println("{}", to_json(answer).dump(2));
  std::println("{}{}{}", answer.state(), answer.reason().empty() ? "" : ": ", answer.reason());
}

}  // namespace

void add_apply_command(CLI::App& app) {
  const auto options = std::make_shared<ApplyOptions>();
  CLI::App& verb = *app.add_subcommand("apply", "Make a file the configuration of its kind, as a new version");
  verb.add_option("file", options->file, "The file: a draft anywhere, or the one in the site's folder")->required();
  verb.add_option("--reason", options->reason, "Why; it stays in the history")->type_name("TEXT");
  verb.add_option("--folder", options->folder, "The site's folder; the file's own when left out")->type_name("DIR");
  verb.add_option("--author", options->author, "Who; you when left out")->type_name("NAME");
  verb.add_option("--run-folder", options->run_folder, "Of the running site; .rltune in its folder when left out")
      ->type_name("DIR");
  verb.add_option("--within", options->within_s, "Every role that is concerned must be well by then, or it goes back")
      ->capture_default_str()
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 600.0));
  verb.add_flag("--dry-run", options->dry_run, "Only say what would change, and who would take it over how");
  verb.add_flag("--no-restart", options->no_restart, "A running site takes it over later, as its roles start again");
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.footer(
      "All or nothing, whatever happens meanwhile: where a role refuses it or is not well in time, the site goes back\n"
      "to what it was. Examples:\n"
      "  rltune config apply draft.yaml --folder north --dry-run\n"
      "  rltune config apply draft.yaml --folder north --reason 'the boiler was replaced'\n"
      "  rltune config apply north/site.yaml --reason 'edited in place'");
  verb.callback([options] { apply(*options); });

  const auto of_state = std::make_shared<ApplyOptions>();
  of_state->folder = ".";
  CLI::App& state_verb = *app.add_subcommand("state", "Where the last change of a running site is");
  state_verb.add_option("--folder", of_state->folder, "The site's folder")->capture_default_str()->type_name("DIR");
  state_verb
      .add_option("--run-folder", of_state->run_folder, "Of the running site; .rltune in its folder when left out")
      ->type_name("DIR");
  state_verb.add_flag("--json", of_state->json, "One JSON object on stdout");
  state_verb.footer("Example:\n  rltune config state --folder north");
  state_verb.callback([of_state] { state(*of_state); });
}

}  // namespace rltune::config_command
