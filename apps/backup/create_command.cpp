// rltune backup create SITE.yaml --to DIR [--key FILE] [--every TIME] [--offsite PLACE] [--json]
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <print>
#include <thread>

#include "backup.hpp"
#include "copier.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/site.hpp"

namespace rltune::backup {
namespace {

using nlohmann::ordered_json;

constexpr auto kTurn = std::chrono::milliseconds(500);
constexpr int kAttemptsOfOne = 3;  // to copy, of a command that does not go on

struct CreateOptions {
  std::filesystem::path site, to;
  std::string key, every, retry = "10s";
  OffsiteOptions offsite;
  std::filesystem::path progress;
  bool json = false;
};

// Backups stand in the site's own audit log.
void record(const config::Site& site, const std::string& target, const Result<Created>& done) {
  audit::Entry entry{.actor = command::user_name(), .action = "backup.create", .target = target};
  if (done)
    entry.details = {{"file", done->file.filename().string()},
                     {"point_in_time", done->manifest.created},
                     {"bytes", std::to_string(done->bytes)}};
  else
    entry.details = {{"failed", done.error().message}};
  const auto recorded = audit::append_once(site.folder / site.storage.folder / "audit", "cli", entry);
  if (!recorded) log::error("this backup is not on record", {{"reason", recorded.error().message}});
}

ordered_json to_json(const Created& created, const std::vector<std::filesystem::path>& removed) {
  ordered_json object{{"file", created.file.string()},
                      {"point_in_time", created.manifest.created},
                      {"parts", created.manifest.parts.size()},
                      {"bytes", created.bytes}};
  object["removed"] = ordered_json::array();
  for (const auto& file : removed) object["removed"].push_back(file.string());
  return object;
}

// What is kept of regular ones: retention.yaml beside the site's file. One that cannot be used removes nothing.
std::optional<config::BackupRetention> rule_of(const CreateOptions& options) {
  if (options.every.empty()) return std::nullopt;
  const auto file = std::filesystem::absolute(options.site).parent_path() / "retention.yaml";
  if (!std::filesystem::exists(file)) return config::BackupRetention{};
  const auto retention = config::load_retention(file);
  if (retention) return retention->backups;
  std::println(stderr, "rltune: no older backup is removed: {}", retention.error().message);
  return std::nullopt;
}

// True when a backup was made.
bool create_one(const CreateOptions& options, const Key& key, const std::optional<config::BackupRetention>& rule) {
  const auto site = config::load_site(options.site);
  if (!site) {
    std::println(stderr, "rltune: {}", site.error().message);
    return false;
  }
  const WallClock clock;
  std::optional<ProgressFile> progress;
  if (!options.progress.empty()) progress.emplace(options.progress);
  const auto created =
      create(options.site, options.to, key, clock, progress ? TellProgress(std::ref(*progress)) : TellProgress());
  record(*site, options.to.string(), created);
  if (progress && created) (*progress)({.stage = "done", .backup = created->file.filename().string()});
  if (progress && !created) (*progress)({.stage = "failed", .trouble = created.error().message});
  if (!created) {
    std::println(stderr, "rltune: {}", created.error().message);
    return false;
  }
  std::vector<std::filesystem::path> removed;
  if (rule) {
    auto gone = rotate(options.to, site->name, *rule);
    if (gone)
      removed = std::move(*gone);
    else
      std::println(stderr, "rltune: {}", gone.error().message);
  }
  if (options.json) {
    std::println("{}", to_json(*created, removed).dump(options.every.empty() ? 2 : -1));
  } else {
    std::println("{}: {} as of {}, {}", created->file.string(), counted(created->manifest.parts.size(), "part"),
                 created->manifest.created, show_bytes(created->bytes));
    for (const auto& file : removed) std::println("removed {}", file.string());
  }
  std::fflush(stdout);
  return true;
}

void create_once(const CreateOptions& options, const Key& key, Copier* copier) {
  if (!create_one(options, key, rule_of(options))) throw Exit{kFailed};
  if (copier == nullptr) return;
  catch_interrupts();
  copier->expect(std::nullopt);
  for (int attempt = 0; attempt < kAttemptsOfOne && copier->waiting() && !interrupted();) {
    attempt += copier->turn() ? 1 : 0;
    if (copier->waiting()) std::this_thread::sleep_for(kTurn);
  }
  if (!copier->waiting()) return;
  std::println(stderr, "rltune: the backup stands in {}; copy it later with: rltune backup copy", options.to.string());
  throw Exit{kFailed};
}

void create_for_ever(const CreateOptions& options, const Key& key, Copier* copier) {
  const Duration every = parse_span("--every", options.every);
  const WallClock clock;
  catch_interrupts();
  for (Duration next = clock.steady(); !interrupted();) {
    const auto rule = rule_of(options);
    if (create_one(options, key, rule) && copier != nullptr) copier->expect(rule);
    next = std::max(next + every, clock.steady());
    while (!interrupted() && clock.steady() < next) {
      if (copier != nullptr) copier->turn();
      std::this_thread::sleep_for(kTurn);
    }
  }
}

void create_command(const CreateOptions& options) {
  const Key key = find_key(options.key, options.progress);
  const auto site = config::load_site(options.site);
  if (!site) stop(site.error());
  std::unique_ptr<Offsite> place;
  std::optional<Copier> copier;
  if (!options.offsite.place.empty()) {
    place = find_offsite(options.offsite);
    copier.emplace(options.to, site->name, *place, parse_span("--retry", options.retry));
  }
  (options.every.empty() ? create_once : create_for_ever)(options, key, copier ? &*copier : nullptr);
}

}  // namespace

void add_create_command(CLI::App& app) {
  const auto options = std::make_shared<CreateOptions>();
  CLI::App& command = *app.add_subcommand("create", "Copy a site as of one point in time, while it runs");
  command.add_option("site", options->site, "The site's file")->required()->check(CLI::ExistingFile);
  command.add_option("--to", options->to, "Folder for backups, better another host's")->type_name("DIR")->required();
  add_key_option(command, options->key);
  command
      .add_option("--every", options->every,
                  "Go on, one after each such time: 30m, 6h, 1d; older ones go as retention.yaml says")
      ->type_name("TIME");
  command
      .add_option_function<std::string>(
          "--keep",
          [](const std::string& count) {
            stop(kWrongUsage, std::format("--keep stands in retention.yaml beside the site's file now: schema: "
                                          "rltune/retention/v2, backups: {{newest: {}}}",
                                          count));
          })
      ->group("");
  add_offsite_options(command, options->offsite);
  command.add_option("--retry", options->retry, "First wait after a copy failed; then twice as long, at most 30m")
      ->type_name("TIME");
  add_progress_option(command, options->progress);
  command.add_flag("--json", options->json, "One JSON object on stdout; with --every one a line");
  command.footer(
      "Examples:\n"
      "  rltune backup create site/site.yaml --to /mnt/safe --key backup.key\n"
      "  rltune backup create site/site.yaml --to /mnt/safe --key backup.key --every 6h\n"
      "  rltune backup create site/site.yaml --to backups --key backup.key --every 6h --offsite "
      "s3://safe/north "
      "--s3-endpoint https://minio:9000 --s3-credentials s3.key");
  command.callback([options] { create_command(*options); });
}

}  // namespace rltune::backup
