// rltune config check|migrate|alert-rules|schema: single files, wherever they lie.
#include <format>
#include <memory>
#include <print>

#include "config.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/alerts.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/site.hpp"

namespace rltune::config_command {
namespace {

struct FileOptions {
  std::vector<std::string> files;
  std::string file, out, kind = "site";
  int version = 0;
  bool json = false, reference = false;
};

void give(const std::string& text, const std::string& out) {
  if (out.empty()) return std::print("{}", text);
  if (auto done = write_file(out, text); !done) stop(done.error());
}

void check(const FileOptions& options) {
  bool valid = true;
  ordered_json files = ordered_json::array();
  for (const std::string& file : options.files) {
    const std::string text = or_stop(config::load_text(file));
    const config::Checked checked = config::check(text);
    const bool good = checked.faults.empty();
    valid = valid && good;
    if (options.json)
      files.push_back({{"file", file},
                       {"valid", good},
                       {"schema", good ? ordered_json(to_string(checked.schema)) : ordered_json(nullptr)},
                       {"faults", to_json(file, checked.faults)}});
    else if (good)
      std::println("{}: valid, {}", file, to_string(checked.schema));
    else
      std::println(stderr, "{}", config::to_text(file, checked.faults));
  }
  if (options.json) std::println("{}", ordered_json{{"valid", valid}, {"files", files}}.dump(2));
  if (!valid) throw Exit{kFailed};
}

void migrate(const FileOptions& options) {
  const std::string text = or_stop(config::load_text(options.file));
  const config::Checked checked = config::check(text);
  if (!checked.faults.empty()) refuse(options.file, checked.faults, options.json);
  const int version = options.version == 0 ? config::newest_version(checked.schema.kind) : options.version;
  const std::string migrated = or_stop(config::migrate(text, options.file, version));
  if (!options.json) return give(migrated, options.out);
  if (options.out.empty()) stop(kWrongUsage, "--json needs --out FILE: the file does not go to stdout beside it");
  give(migrated, options.out);
  std::println("{}", ordered_json{{"file", options.out},
                                  {"was", to_string(checked.schema)},
                                  {"is", to_string(config::Schema{checked.schema.kind, version})}}
                         .dump(2));
}

// Of the site beside the file, where there is one.
void alert_rules(const FileOptions& options) {
  const config::Alerts alerts = or_stop(config::load_alerts(options.file));
  const std::filesystem::path site = std::filesystem::path(options.file).parent_path() / "site.yaml";
  const std::string name = std::filesystem::exists(site) ? or_stop(config::load_site(site)).name : std::string();
  give(config::prometheus_rules(alerts, name), options.out);
}

void schema(const FileOptions& options) {
  if (options.reference) return give(config::reference_page(), options.out);
  const auto kind = config::parse_kind(options.kind);
  if (!kind) stop(kWrongUsage, kind.error().message);
  const int newest = config::newest_version(*kind);
  const int version = options.version == 0 ? newest : options.version;
  if (version < 1 || version > newest)
    stop(kWrongUsage, std::format("there is no version {} of {}; there are 1 to {}", version, options.kind, newest));
  give(config::json_schema({*kind, version}), options.out);
}

}  // namespace

void add_file_commands(CLI::App& app) {
  const auto options = std::make_shared<FileOptions>();
  CLI::App& check_verb = *app.add_subcommand("check", "Find every fault of configuration files of any kind");
  check_verb.add_option("file", options->files, "Files")->required();
  check_verb.add_flag("--json", options->json, "One JSON object on stdout");
  check_verb.footer("Example:\n  rltune config check north/site.yaml north/users.yaml --json");
  check_verb.callback([options] { check(*options); });

  CLI::App& migrate_verb = *app.add_subcommand("migrate", "Write a file for another version of its schema");
  migrate_verb.add_option("file", options->file, "File")->required();
  migrate_verb.add_option("--to", options->version, "Version; the newest one when left out")
      ->check(CLI::PositiveNumber);
  migrate_verb.add_option("--out", options->out, "Write it here instead of to stdout")->type_name("FILE");
  migrate_verb.add_flag("--json", options->json, "One JSON object on stdout; needs --out");
  migrate_verb.footer(
      "Comments and order stay. Back to an earlier version is refused where that has no place for a field.\n"
      "Files of earlier versions go on loading: nobody has to migrate. Examples:\n"
      "  rltune config migrate north/site.yaml --out new.yaml\n  rltune config migrate north/site.yaml --to 1");
  migrate_verb.callback([options] { migrate(*options); });

  CLI::App& rules_verb = *app.add_subcommand("alert-rules", "The alerts of alerts.yaml as a rule file of Prometheus");
  rules_verb.add_option("file", options->file, "alerts.yaml; of the site beside it, where there is one")->required();
  rules_verb.add_option("--out", options->out, "Write it here instead of to stdout")->type_name("FILE");
  rules_verb.footer(
      "Channels and repeat_minutes become a label and an annotation, for the routes of Alertmanager. Example:\n"
      "  rltune config alert-rules north/alerts.yaml --out /etc/prometheus/north.rules.yml");
  rules_verb.callback([options] { alert_rules(*options); });

  CLI::App& schema_verb = *app.add_subcommand("schema", "JSON Schema of a kind of file, for editors");
  schema_verb.add_option("kind", options->kind, "site, users, retention, alerts or telemetry")->capture_default_str();
  schema_verb.add_option("--version", options->version, "Of the schema; the newest one when left out");
  schema_verb.add_flag("--reference", options->reference, "The page docs/config.md, of all kinds, instead");
  schema_verb.add_option("--out", options->out, "Write it here instead of to stdout")->type_name("FILE");
  schema_verb.footer(
      "Examples:\n  rltune config schema alerts --out alerts.schema.json\n"
      "  rltune config schema --reference --out docs/config.md");
  schema_verb.callback([options] { schema(*options); });
}

}  // namespace rltune::config_command
