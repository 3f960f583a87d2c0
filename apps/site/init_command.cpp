// rltune site init --opcua URL --out FILE: browses a server and drafts its site.yaml.
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "draft.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/document.hpp"
#include "rltune/plant/make_link.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "site.hpp"

namespace rltune::site {
namespace {

struct InitOptions {
  config::Link link;
  std::string pki, password_file, name, root, trust, administrator;
  std::filesystem::path out = "site.yaml";
  bool force = false, json = false;
};

// A path as it must read in the site's file: relative paths there start at the file's folder, here at ours.
std::filesystem::path seen_from_site(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(path).lexically_normal();
  const auto relative = absolute.lexically_relative(folder.lexically_normal());
  return relative.empty() || *relative.begin() == ".." ? absolute : relative;
}

std::string site_name(const InitOptions& options, const std::filesystem::path& folder) {
  std::string name = options.name.empty() ? folder.filename().string() : options.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-') c = '_';
  return name.empty() || std::isalnum(static_cast<unsigned char>(name[0])) == 0 ? "site" + name : name;
}

// Our certificate is made before the first try, so that it can be given to the server.
void prepare_pki(const InitOptions& options, const plant::OpcuaOptions& connection) {
  auto pki = plant::OpcuaPki::open(connection.pki);
  if (!pki) stop(pki.error());
  const std::filesystem::path own = connection.pki / "own/cert.der";
  const bool is_new = !std::filesystem::exists(own);
  if (const auto identity = pki->identity({.application_uri = connection.application_uri}, WallClock().now());
      !identity)
    stop(identity.error());
  if (is_new) std::println(stderr, "made our certificate {}: the server has to trust it", own.string());
  if (options.trust.empty()) return;
  const auto thumbprint = pki->trust(options.trust);
  if (!thumbprint) stop(thumbprint.error());
  std::println(stderr, "trusted {} ({})", options.trust, *thumbprint);
}

void report(const InitOptions& options, const DraftCounts& counts) {
  if (options.json) {
    std::println("{}", nlohmann::ordered_json{{"file", options.out.string()},
                                              {"tags", counts.tags},
                                              {"outputs", counts.outputs},
                                              {"left_out", counts.left_out}}
                           .dump(2));
    return;
  }
  std::println("{}: {}, {} of them outputs; {} left out", options.out.string(), counted(counts.tags, "tag"),
               counts.outputs, counted(counts.left_out, "variable"));
  std::println("Go through the lines marked CHECK, then: rltune site check {}", options.out.string());
  if (!options.administrator.empty())
    std::println("{} chooses a password with: rltune user invite {} {}", options.administrator, options.administrator,
                 options.out.string());
}

// Accounts that are there already stay.
void write_users(const std::string& administrator, const std::filesystem::path& folder) {
  const auto file = folder / config::file_name(config::Kind::users);
  if (std::filesystem::exists(file)) return std::println(stderr, "{} stays as it is", file.string());
  const std::string text = draft_users(administrator);
  if (const config::Checked checked = config::check(text); !checked.faults.empty())
    stop(kWrongUsage, std::format("--gateway {}: {}", administrator, checked.faults[0].message));
  if (auto written = write_file(file, text); !written) stop(written.error());
}

// Who trusts a certificate means the application that it names.
std::string application_of(const std::string& file) {
  const auto der = read_file(file);
  if (!der) stop(der.error());
  const auto certificate = plant::read_certificate(*der);
  if (!certificate) stop(certificate.error());
  return certificate->application_uri;
}

void init(InitOptions options) {
  if (std::filesystem::exists(options.out) && !options.force)
    stop(kWrongUsage, std::format("{} exists; --force writes over it", options.out.string()));
  const auto folder = std::filesystem::absolute(options.out).lexically_normal().parent_path();
  options.link.pki = options.pki.empty() ? "pki" : seen_from_site(options.pki, folder);
  if (options.link.security == "None" && !options.link.allow_insecure)
    stop(kWrongUsage, "--security None signs and hides nothing; permit it with --allow-insecure");
  if (!options.password_file.empty()) options.link.password_file = seen_from_site(options.password_file, folder);
  if (!options.link.user.empty() && options.password_file.empty() && options.link.password_env.empty())
    stop(kWrongUsage, "--user needs --password-file or --password-env");
  if (options.link.server_application_uri.empty() && !options.trust.empty())
    options.link.server_application_uri = application_of(options.trust);
  const auto connection = plant::opcua_options(options.link, folder);
  if (!connection) stop(connection.error());
  prepare_pki(options, *connection);
  const auto variables = plant::browse(*connection, {.root = options.root});
  if (!variables) stop(variables.error());
  DraftCounts counts;
  const std::string text =
      draft_site(site_name(options, folder), options.link, *variables, !options.administrator.empty(), counts);
  if (counts.tags == 0) stop(kFailed, std::format("{} shows no number that this user may read", options.link.url));
  if (const auto parsed = config::parse_site(text, options.out); !parsed) stop(parsed.error());
  if (!options.administrator.empty()) write_users(options.administrator, folder);
  if (auto written = write_file(options.out, text); !written) stop(written.error());
  report(options, counts);
}

}  // namespace

void add_init_command(CLI::App& app) {
  const auto options = std::make_shared<InitOptions>();
  CLI::App& command = *app.add_subcommand("init", "Browse a plant's server and draft its site.yaml");
  command.add_option("--opcua", options->link.url, "opc.tcp://host:port")->required()->type_name("URL");
  command.add_option("--out", options->out, "The file to write")->capture_default_str()->type_name("FILE");
  command.add_option("--name", options->name, "The site's name; by default that of the file's folder");
  command.add_option("--root", options->root, "Node to start from (nsu=...;s=...); by default the Objects folder")
      ->type_name("NODE");
  command.add_option("--security", options->link.security, "Security policy, always sign and encrypt")
      ->check(CLI::IsMember({"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "None"}))
      ->capture_default_str();
  command.add_flag("--allow-insecure", options->link.allow_insecure, "Permit --security None");
  command
      .add_option("--server-uri", options->link.server_application_uri,
                  "Application URI the server's certificate must carry; by default what --trust's carries")
      ->type_name("URI");
  command
      .add_option("--pki", options->pki,
                  "Folder of keys: own/ (made when missing), trusted/, rejected/; by default pki beside the file")
      ->type_name("DIR");
  command.add_option("--trust", options->trust, "The server's certificate, copied to PKI/trusted")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  command.add_option("--user", options->link.user, "User name");
  command.add_option("--password-file", options->password_file, "File with the password, readable by you alone")
      ->type_name("FILE");
  command.add_option("--password-env", options->link.password_env, "Environment variable with the password")
      ->type_name("NAME");
  command
      .add_option("--gateway", options->administrator,
                  "Serve the API over HTTPS, and write users.yaml with this administrator")
      ->type_name("NAME");
  command.add_flag("--force", options->force, "Write over an existing file");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Example, for a twin served on this machine:\n"
      "  rltune site init --opcua opc.tcp://127.0.0.1:4840 --trust twin/own/cert.der \\\n"
      "    --user rltune --password-file twin/own/password --out greenhouse/site.yaml\n"
      "\nThe server must trust PKI/own/cert.der, which the first try makes.");
  command.callback([options] { init(*options); });
}

}  // namespace rltune::site
