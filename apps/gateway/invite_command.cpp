// A link that works once, by which a person chooses the password of an account: how the first administrator gets in.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "accounts_file.hpp"
#include "gateway_app.hpp"
#include "rltune/access/one_time_links.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::gateway_app {
namespace {

using command::kFailed;
using command::stop;

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune user invite ada site.yaml              a link for ada, who stands in users.yaml beside it\n"
    "  rltune user invite ada site.yaml --hours 1 --json\n"
    "\nWhoever has the link chooses the password, once. Give it to that person alone.";

struct Options {
  std::string name;
  std::filesystem::path file;
  double hours = 24.0;
  bool json = false;
};

void invite(const Options& options) {
  const config::Site site = or_stop(config::load_site(options.file));
  if (find_account(site, options.name).role == "service")
    stop(kFailed, std::format("'{0}' is a service; give it a secret with: rltune user secret {0} {1}", options.name,
                              options.file.string()));
  const auto folder = or_stop(access_folder(site));
  auto links = or_stop(access::OneTimeLinks::open(folder / "links.db"));
  const TimePoint now = WallClock().now();
  const Duration life = from_seconds(3600.0 * options.hours);
  const std::string link = or_stop(links.make({.purpose = "password", .subject = options.name}, life, now));
  const std::string at = std::format("https://localhost:{}/api/v1/auth/password", site.gateway.port);
  if (options.json)
    return std::println("{}",
                        nlohmann::ordered_json{
                            {"user", options.name}, {"link", link}, {"url", at}, {"until", format_rfc3339(now + life)}}
                            .dump(2));
  std::println("{} chooses a password, once, until {}, with this:\n\n  {}\n", options.name, format_rfc3339(now + life),
               link);
  std::println(
      "For example:\n  curl --cacert CERTIFICATE {} -H 'Content-Type: application/json' \\\n"
      "       -d '{{\"link\":\"{}\",\"password\":\"...\"}}'",
      at, link);
  if (!site.gateway.enabled)
    std::println(stderr, "rltune: {}: gateway.enabled is false: nobody can sign in before it is true",
                 options.file.string());
}

}  // namespace

void add_invite_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("invite", "A link by which a person chooses a password, once");
  verb.footer(kExamples);
  const auto options = std::make_shared<Options>();
  verb.add_option("name", options->name, "The account, as it stands in users.yaml")->required();
  verb.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_option("--hours", options->hours, "The link works for so long")
      ->check(CLI::Range(0.01, 720.0))
      ->capture_default_str();
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.callback([options] { invite(*options); });
}

}  // namespace rltune::gateway_app
