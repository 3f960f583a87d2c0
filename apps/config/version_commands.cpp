// rltune config history|show|diff|restore: looking back, and going back.
#include <format>
#include <memory>
#include <print>
#include <set>

#include "config.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/secret.hpp"
#include "rltune/configstore/change.hpp"
#include "running_site.hpp"

namespace rltune::config_command {
namespace {

struct VersionOptions {
  std::filesystem::path folder = ".", run_folder;
  std::string kind = "site", version, from = "HEAD", to, reason, author;
  std::size_t last = 20;
  bool json = false, text = false, no_restart = false;
};

constexpr std::size_t kIdShown = 10;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void history(const VersionOptions& options) {
  const auto store = or_stop(configstore::Store::open(options.folder));
  const auto versions = or_stop(store.log(options.last));
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const auto& version : versions) list.push_back(to_json(version));
    return std::println("{}", ordered_json{{"versions", list}}.dump(2));
  }
  for (const auto& version : versions) {
    std::string files;
    for (const std::string& file : version.files) files += (files.empty() ? "" : ", ") + file;
    std::println("{}  {}  {:<12} {}: {}", version.id.substr(0, kIdShown), format_rfc3339(version.entry.time),
                 version.entry.author, files, config::redact(first_line(version.entry.reason)));
  }
}

// The files of a version, or those that lie in the folder where `version` is empty.
configstore::Files files_at(const std::filesystem::path& folder, const std::string& version) {
  if (!version.empty()) return or_stop(or_stop(configstore::Store::open(folder)).files(version));
  configstore::Files files;
  for (const config::Kind kind : config::kinds()) {
    const auto path = folder / config::file_name(kind);
    if (std::filesystem::exists(path)) files[config::file_name(kind)] = or_stop(config::load_text(path));
  }
  return files;
}

void show(const VersionOptions& options) {
  const auto kind = config::parse_kind(options.kind);
  if (!kind) stop(kWrongUsage, kind.error().message);
  const configstore::Files files = files_at(options.folder, options.version);
  const auto found = files.find(config::file_name(*kind));
  if (found == files.end())
    stop(kFailed, std::format("there is no {} {} {}", config::file_name(*kind),
                              options.version.empty() ? "in" : "in version " + options.version + " of",
                              options.folder.string()));
  const std::string text = config::redact(found->second);
  if (options.json)
    std::println(
        "{}", ordered_json{{"file", found->first},
                           {"version", options.version.empty() ? ordered_json(nullptr) : ordered_json(options.version)},
                           {"text", text}}
                  .dump(2));
  else
    std::print("{}", text);
}

void diff(const VersionOptions& options) {
  const configstore::Files was = files_at(options.folder, options.from), is = files_at(options.folder, options.to);
  std::set<std::string> names;
  for (const auto& [name, text] : was) names.insert(name);
  for (const auto& [name, text] : is) names.insert(name);
  ordered_json list = ordered_json::array();
  for (const std::string& name : names) {
    const std::string old_text = was.contains(name) ? was.at(name) : "",
                      new_text = is.contains(name) ? is.at(name) : "";
    if (old_text == new_text) continue;
    const std::string text = config::redact(or_stop(configstore::unified_diff(name, old_text, new_text)));
    // Only good files can be told field by field.
    const auto changes = new_text.empty() ? fail(Errc::not_found, "") : config::changes(old_text, new_text);
    if (options.json) {
      list.push_back(
          {{"file", name}, {"changes", changes ? to_json(*changes) : ordered_json(nullptr)}, {"text", text}});
    } else if (options.text || !changes || old_text.empty()) {
      std::print("{}", text);
    } else {
      std::println("{}: {}", name, counted(changes->size(), "change"));
      print(*changes);
    }
  }
  if (options.json) std::println("{}", ordered_json{{"files", list}}.dump(2));
}

void restore(const VersionOptions& options) {
  const auto store = or_stop(configstore::Store::open(options.folder));
  const auto was = or_stop(store.files(or_stop(store.head())));
  const std::string author = options.author.empty() ? command::user_name() : options.author;
  auto site = RunningSite::find(options.run_folder.empty() ? options.folder / ".rltune" : options.run_folder);
  if (site && !options.no_restart) {
    v1::ApplyConfigRequest request;
    request.set_restore(or_stop(store.find(options.version)).id);
    request.set_author(author);
    request.set_reason(options.reason);
    const v1::ConfigAnswer answer = site->take_over(request, 0.0);
    if (options.json)
      std::println("{}", to_json(answer).dump(2));
    else
      say(answer);
    if (answer.state() != "applied") throw Exit{kFailed};
    if (!options.json) std::println("As in {}: version {}", options.version, answer.version().substr(0, kIdShown));
    return;
  }
  const auto version =
      or_stop(configstore::restore(options.folder, options.version, {author, options.reason, WallClock().now()}));
  const auto is = or_stop(store.files(version.id));
  std::vector<config::Change> changes;
  for (const std::string& name : version.files) {
    if (!is.contains(name)) continue;
    const auto found = config::changes(was.contains(name) ? was.at(name) : "", is.at(name));
    if (found) changes.insert(changes.end(), found->begin(), found->end());
  }
  const auto roles = config::restarts(changes);
  if (options.json) {
    ordered_json out = to_json(version);
    out["changes"] = to_json(changes);
    out["restarts"] = roles;
    return std::println("{}", out.dump(2));
  }
  std::println("As in {}: version {}", options.version, version.id.substr(0, kIdShown));
  print(changes);
}

CLI::App& add(CLI::App& app, const char* name, const char* what, const std::shared_ptr<VersionOptions>& options) {
  CLI::App& verb = *app.add_subcommand(name, what);
  verb.add_option("--folder", options->folder, "The site's folder")->capture_default_str()->type_name("DIR");
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  return verb;
}

}  // namespace

void add_version_commands(CLI::App& app) {
  const auto options = std::make_shared<VersionOptions>();
  const char* const names_a_version = "An id, the first letters of one, HEAD (the newest), HEAD~1 (before it), ...";

  CLI::App& history_verb = add(app, "history", "Who changed what, when and why", options);
  history_verb.add_option("--last", options->last, "So many of the newest")->capture_default_str();
  history_verb.footer("Example:\n  rltune config history --folder north --last 5");
  history_verb.callback([options] { history(*options); });

  CLI::App& show_verb = add(app, "show", "A file as it is, or as it was at a version", options);
  show_verb.add_option("kind", options->kind, "site, users, retention, alerts or telemetry")->capture_default_str();
  show_verb.add_option("--at", options->version, names_a_version)->type_name("VERSION");
  show_verb.footer("Example:\n  rltune config show site --folder north --at HEAD~1");
  show_verb.callback([options] { show(*options); });

  CLI::App& diff_verb = add(app, "diff", "What differs, field by field", options);
  diff_verb.add_option("from", options->from, names_a_version)->capture_default_str();
  diff_verb.add_option("to", options->to, "Another version; the files in the folder when left out");
  diff_verb.add_flag("--text", options->text, "Line by line instead");
  diff_verb.footer(
      "Examples:\n  rltune config diff --folder north\n  rltune config diff HEAD~3 HEAD --folder north --text");
  diff_verb.callback([options] { diff(*options); });

  CLI::App& restore_verb = add(app, "restore", "Go back to a version, as a new one", options);
  restore_verb.add_option("version", options->version, names_a_version)->required();
  restore_verb.add_option("--reason", options->reason, "Why; it stays in the history")->required()->type_name("TEXT");
  restore_verb
      .add_option("--run-folder", options->run_folder, "Of the running site; .rltune in its folder when left out")
      ->type_name("DIR");
  restore_verb.add_flag("--no-restart", options->no_restart, "A running site takes it over later");
  restore_verb.add_option("--author", options->author, "Who; you when left out")->type_name("NAME");
  restore_verb.footer("Example:\n  rltune config restore HEAD~1 --folder north --reason 'worse than before'");
  restore_verb.callback([options] { restore(*options); });
}

}  // namespace rltune::config_command
