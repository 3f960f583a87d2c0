// The secret by which a program gets its tokens: made here, shown once, kept as a hash.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "accounts_file.hpp"
#include "gateway_app.hpp"
#include "rltune/access/password.hpp"
#include "rltune/access/secret.hpp"
#include "rltune/base/file.hpp"

namespace rltune::gateway_app {
namespace {

using command::kFailed;
using command::stop;

constexpr const char* kSecretExamples =
    "Example:\n"
    "  rltune user secret feeder site.yaml           a new secret for the service feeder of users.yaml\n"
    "\nThe secret of before is good for nothing from now on; tokens that are out end within 15 minutes.";

struct SecretOptions {
  std::string name;
  std::filesystem::path file;
  bool json = false;
};

void make_secret(const SecretOptions& options) {
  const config::Site site = or_stop(config::load_site(options.file));
  const config::User user = find_account(site, options.name);
  if (user.role != "service")
    stop(kFailed, std::format("'{0}' is a person's account; invite that person with: rltune user invite {0} {1}",
                              options.name, options.file.string()));
  const std::string secret = access::make_secret();
  const std::string hash = or_stop(access::hash_password(secret));
  if (auto written = write_secret_file(site.folder / user.password_hash_file, hash + "\n"); !written)
    stop(written.error());
  if (options.json)
    return std::println("{}", nlohmann::ordered_json{{"service", options.name}, {"secret", secret}}.dump(2));
  std::println("The secret of {}, shown this once:\n\n  {}", options.name, secret);
}

}  // namespace

void add_secret_command(CLI::App& app) {
  CLI::App& verb = *app.add_subcommand("secret", "A new secret for a service, by which it gets its tokens");
  verb.footer(kSecretExamples);
  const auto options = std::make_shared<SecretOptions>();
  verb.add_option("name", options->name, "The account, as it stands in users.yaml")->required();
  verb.add_option("file", options->file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_flag("--json", options->json, "One JSON object on stdout");
  verb.callback([options] { make_secret(*options); });
}

}  // namespace rltune::gateway_app
