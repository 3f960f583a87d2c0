// rltune site check FILE [--json], rltune site schema [--out FILE]
#include <algorithm>
#include <charconv>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>
#include <ranges>

#include "rltune/base/file.hpp"
#include "rltune/config/document.hpp"
#include "rltune/vault/vault.hpp"
#include "site.hpp"

namespace rltune::site {
namespace {

using nlohmann::ordered_json;

void add_storage_warnings(const config::Site& site, std::vector<std::string>& warnings) {
  if (!site.storage.encrypted) {
    warnings.emplace_back(
        "storage: who did what by hand, and why, is plain text on the disk; 'encrypted' changes that");
    return;
  }
  const vault::Vault vault = vault::Vault::from({.encrypted = true, .key_file = site.key_file()});
  if (auto allowed = vault.allows(); !allowed) warnings.push_back("storage: " + allowed.error().message);
  const auto inside = site.key_file().lexically_relative(std::filesystem::absolute(site.folder).lexically_normal());
  if (!inside.empty() && *inside.begin() != "..")
    warnings.emplace_back("storage: key_file lies in the site's folder: whoever copies that has the key as well");
}

// What is allowed and yet worth a second look before a plant is started with it.
std::vector<std::string> warnings_of(const config::Site& site) {
  std::vector<std::string> warnings;
  const auto missing = [&](const std::filesystem::path& path) {
    return !path.empty() && !std::filesystem::exists(site.folder / path);
  };
  for (const config::Agent& agent : site.agents)
    if (missing(agent.policy))
      warnings.push_back(std::format("agent {}: there is no policy at {}", agent.id,
                                     (site.folder / agent.policy).lexically_normal().string()));
  if (missing(site.link.password_file))
    warnings.push_back(
        std::format("link: there is no password file {}", (site.folder / site.link.password_file).string()));
  if (site.link.security == "None") warnings.push_back("link: nothing is signed or encrypted");
  add_storage_warnings(site, warnings);
  const bool writes =
      std::ranges::any_of(site.tags, [](const config::Tag& tag) { return tag.role == config::TagRole::setpoint; });
  if (!writes) return warnings;
  if (site.guard.guard_alive.empty())
    warnings.push_back("guard: without guard_alive the plant cannot tell that io has stopped");
  if (site.guard.interlocks.empty()) warnings.push_back("guard: there is no interlock");
  for (const config::OutputRule& rule : site.guard.outputs) {
    if (!site.find_owner(rule.tag))
      warnings.push_back(std::format("'{}' belongs to no agent: only people write it", rule.tag));
    if (rule.rate_per_s == 0.0 && rule.step_max == 0.0)
      warnings.push_back(std::format("'{}' has no rate limit", rule.tag));
  }
  return warnings;
}

ordered_json describe(const config::Site& site) {
  ordered_json out{
      {"valid", true}, {"site", site.name}, {"clock", site.clock == config::ClockKind::plant ? "plant" : "wall"}};
  out["mode"] = site.guard.mode;
  out["tags"] = site.tags.size();
  out["outputs"] = ordered_json::array();
  for (const config::OutputRule& rule : site.guard.outputs) out["outputs"].push_back(rule.tag);
  out["agents"] = ordered_json::array();
  for (const config::Agent& agent : site.agents)
    out["agents"].push_back(
        {{"id", agent.id}, {"period_s", agent.period_s}, {"outputs", agent.outputs}, {"fallback", agent.fallback}});
  out["interlocks"] = site.guard.interlocks.size();
  out["warnings"] = warnings_of(site);
  return out;
}

// "FILE:LINE: what" a line, as load_site() writes them.
ordered_json faults_of(const std::string& message, const std::string& file) {
  ordered_json faults = ordered_json::array();
  for (const auto part : std::views::split(message, '\n')) {
    std::string_view line(part.begin(), part.end());
    int number = 0;
    if (line.starts_with(file + ":")) {
      line.remove_prefix(file.size() + 1);
      const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), number);
      if (code == std::errc{})
        line.remove_prefix(std::min(line.size(), static_cast<std::size_t>(end - line.data()) + 2));
    }
    faults.push_back({{"line", number}, {"message", line}});
  }
  return faults;
}

void refuse(const Error& error, const std::string& file, bool json) {
  if (json)
    std::println("{}", ordered_json{{"valid", false}, {"faults", faults_of(error.message, file)}}.dump(2));
  else
    std::println(stderr, "{}", error.message);
  throw Exit{kFailed};
}

void check(const std::string& file, bool json) {
  const auto site = config::load_site(file);
  if (!site) refuse(site.error(), file, json);
  const ordered_json report = describe(*site);
  if (json) return std::println("{}", report.dump(2));
  for (const auto& warning : report["warnings"])
    std::println(stderr, "{}: warning: {}", file, warning.get<std::string>());
  std::println("{}: site {} is valid: {}, {}, {}, {}; starts in {} mode", file, site->name,
               counted(site->tags.size(), "tag"), counted(site->guard.outputs.size(), "output"),
               counted(site->agents.size(), "agent"), counted(site->guard.interlocks.size(), "interlock"),
               site->guard.mode);
}

}  // namespace

void add_check_commands(CLI::App& app) {
  const auto file = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  CLI::App& check_verb = *app.add_subcommand("check", "Find every fault of a site's file, without touching the plant");
  check_verb.add_option("file", *file, "The site's file")->required();
  check_verb.add_flag("--json", *json, "One JSON object on stdout");
  check_verb.footer(
      "Examples:\n  rltune site check examples/lettuce-site/site.yaml\n  rltune site check site.yaml --json");
  check_verb.callback([file, json] { check(*file, *json); });

  const auto out = std::make_shared<std::string>();
  CLI::App& schema = *app.add_subcommand("schema", "JSON Schema of site.yaml, for editors");
  schema.add_option("--out", *out, "Write it here instead of to stdout")->type_name("FILE");
  schema.footer(
      "Example:\n  rltune site schema --out site.schema.json\n"
      "and as the first line of site.yaml:  # yaml-language-server: $schema=site.schema.json");
  schema.callback([out] {
    const std::string text = config::json_schema({config::Kind::site, config::newest_version(config::Kind::site)});
    if (out->empty()) return std::print("{}", text);
    if (auto done = write_file(*out, text); !done) stop(done.error());
  });
}

}  // namespace rltune::site
