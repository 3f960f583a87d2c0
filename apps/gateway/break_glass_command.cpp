// The sealed secret by which somebody comes in when nobody else can: made here, shown once, kept as a hash.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "accounts_file.hpp"
#include "gateway_app.hpp"
#include "rltune/access/sealed_secret.hpp"

namespace rltune::gateway_app {
namespace {

constexpr const char* kBreakGlassExamples =
    "Example:\n"
    "  rltune user break-glass site.yaml             a new secret; the one of before is good for nothing\n"
    "\nPut it on paper into a sealed envelope. Whoever has it is an administrator for an hour, once, without "
    "users.yaml\n"
    "and without a provider; the audit and the log tell of it.";

struct BreakGlassOptions {
  std::filesystem::path file;
  bool json = false;
};

void make_break_glass(const BreakGlassOptions& options) {
  const config::Site site = or_stop(config::load_site(options.file));
  const auto folder = or_stop(access_folder(site));
  const std::string secret = or_stop(access::SealedSecret(folder / "break-glass").make());
  const std::string at = std::format("https://localhost:{}/api/v1/auth/break-glass", site.gateway.port);
  if (options.json) return std::println("{}", nlohmann::ordered_json{{"secret", secret}, {"url", at}}.dump(2));
  std::println("The sealed secret, shown this once:\n\n  {}\n", secret);
  std::println(
      "It makes whoever shows it an administrator for an hour, once:\n  curl --cacert CERTIFICATE {} "
      "-H 'Content-Type: application/json' \\\n       -d '{{\"secret\":\"...\",\"reason\":\"...\"}}'",
      at);
}

}  // namespace

void add_break_glass_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("break-glass", "A sealed secret for the day when nobody else comes in");
  verb.footer(kBreakGlassExamples);
  const auto options = std::make_shared<BreakGlassOptions>();
  verb.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.callback([options] { make_break_glass(*options); });
}

}  // namespace rltune::gateway_app
