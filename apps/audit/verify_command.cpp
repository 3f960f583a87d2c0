// rltune audit verify FOLDER [--heads FOLDER] [--key FILE] [--json]
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "audit.hpp"
#include "rltune/audit/head.hpp"
#include "rltune/audit/verify.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kFaultsShown = 50;

struct VerifyOptions {
  std::string folder, heads, key;
  bool json = false;
};

// The key whose signatures count: as told, as it left the host, or as it stands beside the logs.
std::string public_key(const VerifyOptions& options, std::string& from) {
  const auto read = [&](const std::filesystem::path& file) {
    auto key = read_public_key(file);
    if (!key) stop(key.error());
    from = file.string();
    return *std::move(key);
  };
  if (!options.key.empty()) return read(options.key);
  for (const std::filesystem::path& folder : {std::filesystem::path(options.heads), audit_folder(options.folder)})
    if (!folder.empty() && std::filesystem::exists(folder / "key.pub")) return read(folder / "key.pub");
  return {};
}

ordered_json to_json(const RoleReport& report) {
  ordered_json faults = ordered_json::array();
  for (const Fault& fault : report.faults) {
    ordered_json object{{"file", fault.file}};
    object["line"] = fault.line == 0 ? ordered_json(nullptr) : ordered_json(fault.line);
    object["kind"] = fault.kind;
    object["what"] = fault.what;
    faults.push_back(std::move(object));
  }
  const auto text = [](const std::string& value) {
    return value.empty() ? ordered_json(nullptr) : ordered_json(value);
  };
  return {{"role", report.role},
          {"files", report.files},
          {"lines", report.lines},
          {"first", text(report.first_time)},
          {"last", text(report.last_time)},
          {"heads", report.heads},
          {"last_signed", report.last_signed},
          {"repaired", report.repaired},
          {"starts_at", report.starts_at},
          {"faults", std::move(faults)}};
}

void print_text(const RoleReport& report) {
  std::println(
      "{:<20} {} in {}, {}; signed up to line {}{}{}", report.role, command::counted(report.lines, "line"),
      command::counted(report.files, "file"), command::counted(report.heads, "head"), report.last_signed,
      report.repaired == 0 ? "" : std::format("; {} after crashes", command::counted(report.repaired, "repair")),
      report.faults.empty() ? "" : std::format("; {}", command::counted(report.faults.size(), "FAULT")));
  if (report.starts_at > 1)
    std::println("  holds from line {}, {}: retention has removed what was before", report.starts_at,
                 report.first_time);
  for (std::size_t i = 0; i < std::min(report.faults.size(), kFaultsShown); ++i) {
    const Fault& fault = report.faults[i];
    std::println("  {}{}: {}: {}", fault.file, fault.line == 0 ? "" : std::format(":{}", fault.line), fault.kind,
                 fault.what);
  }
  if (report.faults.size() > kFaultsShown) std::println("  and {} more", report.faults.size() - kFaultsShown);
}

void verify_command(const VerifyOptions& options) {
  std::string key_from;
  const std::string key = public_key(options, key_from);
  const auto reports = verify(audit_folder(options.folder), options.heads, key);
  if (!reports) stop(reports.error());
  std::size_t faults = 0;
  ordered_json roles = ordered_json::array();
  for (const RoleReport& report : *reports) {
    faults += report.faults.size();
    if (options.json)
      roles.push_back(to_json(report));
    else
      print_text(report);
  }
  if (options.json) {
    ordered_json object{{"good", faults == 0}, {"key", key}, {"key_from", key_from}, {"roles", std::move(roles)}};
    std::println("{}", object.dump(2));
  } else if (faults == 0) {
    std::println("the audit log is whole{}", options.heads.empty() && options.key.empty()
                                                 ? ", by the heads and the key of this host; --heads and --key of "
                                                   "another prove more"
                                                 : "");
  }
  if (faults > 0) throw Exit{kFailed};
}

}  // namespace

std::filesystem::path audit_folder(const std::string& data) {
  const std::filesystem::path inside = std::filesystem::path(data) / "audit";
  return std::filesystem::is_directory(inside) ? inside : std::filesystem::path(data);
}

void add_verify_command(CLI::App& app) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App& command = *app.add_subcommand("verify", "Whether the audit log is what was written");
  command.add_option("folder", options->folder, "The site's data folder, or its audit folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command.add_option("--heads", options->heads, "Where signed heads were copied to by rltune audit heads")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command.add_option("--key", options->key, "The public key, from a place that this host cannot write")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Finds a line that was changed, left out, inserted or moved, a cut, a missing day and a head that does not fit,\n"
      "and says in which file and line. Works beside a running site. Exit status 1 when something is found.\n\n"
      "Examples:\n"
      "  rltune audit verify site/data\n"
      "  rltune audit verify site/data --heads /mnt/safe/heads --key keys/greenhouse.pub --json");
  command.callback([options] { verify_command(*options); });
}

}  // namespace rltune::audit
