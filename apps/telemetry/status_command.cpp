#include <format>
#include <memory>
#include <print>

#include "role_client.hpp"
#include "telemetry_app.hpp"

namespace rltune::telemetry_app {
namespace {

using Json = nlohmann::ordered_json;
using command::kFailed;

constexpr const char* kStatusExamples =
    "Examples:\n"
    "  rltune telemetry status site.yaml          what is kept, and how far each sink is\n"
    "  rltune telemetry status site.yaml --json\n"
    "\nExit status 1: something is wrong: a disk, a sink, records that went unsent.";

std::string bytes_text(double bytes) {
  for (const char* unit : {"B", "kB", "MB", "GB"}) {
    if (bytes < 1000.0) return std::format("{:.3g} {}", bytes, unit);
    bytes /= 1000.0;
  }
  return std::format("{:.3g} TB", bytes);
}

bool is_well(const Json& status) {
  for (const auto& [name, stream] : status["streams"].items())
    if (stream["trouble"] != "" || stream["low_disk"] == true || stream["lost"] != 0 || stream["removed_unsent"] != 0)
      return false;
  for (const Json& sink : status["sinks"])
    if (sink["trouble"] != "" || sink["refused"] != 0) return false;
  return true;
}

void print(const Json& status) {
  std::println("{:<10} {:>14} {:>14} {:>10} {:>8} {:>14}  {}", "stream", "kept from", "to", "disk", "lost",
               "went unsent", "trouble");
  for (const auto& [name, stream] : status["streams"].items())
    std::println("{:<10} {:>14} {:>14} {:>10} {:>8} {:>14}  {}", name, stream["floor"].get<std::uint64_t>(),
                 stream["acknowledged"].get<std::uint64_t>(), bytes_text(stream["disk_bytes"]),
                 stream["lost"].get<std::uint64_t>(), stream["removed_unsent"].get<std::uint64_t>(),
                 stream["trouble"].get<std::string>());
  if (status["sinks"].empty()) return std::println("\nno sinks: everything stays here");
  std::println("\n{:<16} {:<8} {:>14} {:>12} {:>8} {:>8}  {:<30}  {}", "sink", "stream", "sent up to", "waiting",
               "retried", "refused", "last success", "trouble");
  for (const Json& sink : status["sinks"])
    std::println("{:<16} {:<8} {:>14} {:>12} {:>8} {:>8}  {:<30}  {}", sink["sink"].get<std::string>(),
                 sink["stream"].get<std::string>(), sink["delivered"].get<std::uint64_t>(),
                 sink["waiting_records"].get<std::uint64_t>(), sink["retried"].get<std::uint64_t>(),
                 sink["refused"].get<std::uint64_t>(),
                 sink["last_success"].is_null() ? "never" : sink["last_success"].get<std::string>(),
                 sink["trouble"].get<std::string>());
}

void status(const SiteOptions& options) {
  const Json told = RoleClient(options).get("/v1/status");
  if (options.json)
    std::println("{}", told.dump(2));
  else
    print(told);
  if (!is_well(told)) throw command::Exit{kFailed};
}

}  // namespace

void add_status_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("status", "What a running site keeps, and how far each sink is");
  verb.footer(kStatusExamples);
  const auto options = std::make_shared<SiteOptions>();
  add_site_options(verb, *options);
  verb.callback([options] { status(*options); });
}

}  // namespace rltune::telemetry_app
