// rltune site storage FILE: how full the disk is, and how long it lasts.
#include <cmath>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/backup/backup.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/historian/historian.hpp"
#include "site.hpp"

namespace rltune::site {
namespace {

historian::Retention retention_of(const config::Storage& storage) {
  constexpr double kDay = 86'400.0;
  return {.raw = from_seconds(storage.raw_days * kDay),
          .minute = from_seconds(storage.minute_days * kDay),
          .five_minutes = from_seconds(storage.five_minute_days * kDay),
          .bytes_max = static_cast<std::uint64_t>(storage.size_max_gb * 1e9)};
}

std::string show_bytes(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000.0 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1000.0;
  return std::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

void print_text(const std::string& folder, const historian::Status& status) {
  const auto line = [](const char* what, const std::string& value) { std::println("{:<16} {}", what, value); };
  line("folder", folder);
  line("samples", std::to_string(status.samples_committed));
  line("on disk", show_bytes(static_cast<double>(status.bytes_database + status.bytes_wal)));
  line("free", show_bytes(static_cast<double>(status.bytes_free)));
  line("grows by", show_bytes(status.bytes_per_day) + " a day");
  line("settles at", show_bytes(status.bytes_settled) + ", where retention lets this rate end");
  line("disk lasts", std::isfinite(status.days_until_full) ? std::format("{:.0f} days", status.days_until_full)
                                                           : "for ever, at this rate");
  if (!status.trouble.empty()) line("trouble", status.trouble);
  for (const auto& kept : put_aside_in(folder)) line("damaged", kept.string());
}

// Every file to its last byte, beside a running site and on a stopped one.
void check(const std::filesystem::path& file, bool json) {
  const auto found = backup::check_site(file);
  if (!found) stop(found.error());
  const nlohmann::ordered_json out{{"databases", found->databases}, {"decisions", found->decisions},
                                   {"weights", found->policies},    {"checkpoints", found->checkpoints},
                                   {"versions", found->versions},   {"audit_lines", found->audit_lines},
                                   {"faults", found->faults},       {"notes", found->notes}};
  if (json) {
    std::println("{}", out.dump(2));
  } else {
    std::println("{}, {}, {}, {}, {}, {}", counted(found->databases, "database"), counted(found->decisions, "decision"),
                 counted(found->policies, "weight set"), counted(found->checkpoints, "checkpoint"),
                 counted(found->versions, "agent version"), counted(found->audit_lines, "audit line"));
    for (const std::string& fault : found->faults) std::println("  FAULT {}", fault);
    for (const std::string& note : found->notes) std::println("  note: {}", note);
    if (found->faults.empty()) std::println("every file is whole, and they agree");
  }
  if (!found->faults.empty()) throw Exit{kFailed};
}

void storage(const std::filesystem::path& file, bool json) {
  const config::Site site = load(file);
  const std::string folder = (site.folder / site.storage.folder).lexically_normal().string();
  const auto historian = historian::Historian::open_reader(folder, retention_of(site.storage));
  if (!historian) stop(historian.error());
  const historian::Status status = historian->status();
  if (!json) return print_text(folder, status);
  nlohmann::ordered_json out{{"folder", folder},
                             {"samples", status.samples_committed},
                             {"bytes", status.bytes_database},
                             {"bytes_wal", status.bytes_wal},
                             {"bytes_free", status.bytes_free},
                             {"bytes_per_day", status.bytes_per_day},
                             {"bytes_settled", status.bytes_settled}};
  out["days_until_full"] = std::isfinite(status.days_until_full) ? nlohmann::ordered_json(status.days_until_full)
                                                                 : nlohmann::ordered_json(nullptr);
  out["trouble"] = status.trouble.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(status.trouble);
  out["damaged"] = nlohmann::ordered_json::array();
  for (const auto& kept : put_aside_in(folder)) out["damaged"].push_back(kept.string());
  std::println("{}", out.dump(2));
}

}  // namespace

void add_storage_command(CLI::App& app) {
  const auto file = std::make_shared<std::filesystem::path>();
  const auto json = std::make_shared<bool>(false);
  CLI::App& command = *app.add_subcommand("storage", "How much a site has stored, and how long the disk lasts");
  command.add_option("file", *file, "The site's file")->required()->check(CLI::ExistingFile);
  command.add_flag("--json", *json, "One JSON object on stdout; days_until_full is null where the disk never fills");
  const auto whole = std::make_shared<bool>(false);
  command.add_flag("--check", *whole, "Read every file to its last byte, and whether they agree with each other");
  command.footer(
      "Works beside a running site and on a stopped one. Examples:\n  rltune site storage site.yaml\n"
      "  rltune site storage site.yaml --check");
  command.callback([file, json, whole] { (*whole ? check : storage)(*file, *json); });
}

}  // namespace rltune::site
