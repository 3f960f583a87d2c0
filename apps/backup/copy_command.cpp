// rltune backup copy FOLDER --offsite PLACE [--site NAME] [--retention FILE]
#include <charconv>
#include <nlohmann/json.hpp>
#include <print>

#include "backup.hpp"
#include "rltune/config/retention.hpp"

namespace rltune::backup {
namespace {

struct CopyOptions {
  std::filesystem::path folder;
  std::string site;
  OffsiteOptions offsite;
  std::filesystem::path retention;
  bool json = false;
};

void copy_command(const CopyOptions& options) {
  const auto place = find_offsite(options.offsite);
  std::optional<config::BackupRetention> rule;
  if (!options.retention.empty()) {
    const auto retention = config::load_retention(options.retention);
    if (!retention) stop(retention.error());
    rule = retention->backups;
  }
  const auto copied = copy_missing(options.folder, options.site, *place, rule);
  if (!copied) stop(copied.error());
  if (options.json)
    return std::println("{}", nlohmann::ordered_json{{"place", place->name()}, {"copied", *copied}}.dump(2));
  for (const std::string& name : *copied) std::println("{}", name);
  std::println("{} copied to {}", counted(copied->size(), "backup"), place->name());
}

}  // namespace

void add_offsite_options(CLI::App& command, OffsiteOptions& options) {
  command.add_option("--offsite", options.place, "Where copies go besides: a folder, or s3://BUCKET/PREFIX")
      ->type_name("PLACE");
  command.add_option("--s3-endpoint", options.endpoint, "The S3 server, if it is not Amazon's")->type_name("URL");
  command.add_option("--s3-region", options.region, "Its region")->capture_default_str();
  command
      .add_option("--s3-credentials", options.credentials,
                  "File with ID:SECRET; otherwise RLTUNE_BACKUP_S3, or the systemd credential rltune-backup-s3")
      ->type_name("FILE");
}

std::unique_ptr<Offsite> find_offsite(const OffsiteOptions& options) {
  auto place = open_offsite(options);
  if (!place) stop(place.error());
  return *std::move(place);
}

Duration parse_span(const std::string& option, const std::string& text) {
  const auto wrong = [&] { stop(kWrongUsage, std::format("{} {}: write it as 30m, 6h or 1d", option, text)); };
  if (text.size() < 2) wrong();
  double number = 0.0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size() - 1, number);
  const std::size_t unit = std::string_view("smhd").find(text.back());
  if (code != std::errc{} || end != text.data() + text.size() - 1 || unit == std::string_view::npos) wrong();
  constexpr double kSeconds[] = {1.0, 60.0, 3600.0, 86'400.0};
  const double seconds = number * kSeconds[unit];
  if (!(seconds >= 1.0 && seconds <= 366.0 * 86'400.0)) wrong();
  return from_seconds(seconds);
}

void add_copy_command(CLI::App& app) {
  const auto options = std::make_shared<CopyOptions>();
  CLI::App& command = *app.add_subcommand("copy", "Copy what a place elsewhere has not yet");
  command.add_option("folder", options->folder, "The folder with backups")->required()->check(CLI::ExistingDirectory);
  add_offsite_options(command, options->offsite);
  command.get_option("--offsite")->required();
  command.add_option("--site", options->site, "Of this site alone");
  command.add_option("--retention", options->retention, "Keep there what this retention.yaml says; needs --site")
      ->type_name("FILE")
      ->needs("--site");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n"
      "  rltune backup copy backups --offsite /mnt/safe\n"
      "  rltune backup copy backups --offsite s3://safe/north --s3-endpoint https://minio:9000 --s3-credentials "
      "s3.key");
  command.callback([options] { copy_command(*options); });
}

}  // namespace rltune::backup
