#include "rltune/upgrade/site.hpp"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "rltune/base/file.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kPatience = 500ms;

std::vector<std::string> words_of(const fs::path& process) {
  std::vector<std::string> words;
  const std::string bytes = read_file(process / "cmdline").value_or("");
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\0', at), bytes.size());
    words.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The value of "--name VALUE" or "--name=VALUE".
std::optional<std::string> option(const std::vector<std::string>& words, const std::string& name) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == name && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with(name + "=")) return words[i].substr(name.size() + 1);
  }
  return std::nullopt;
}

// The first word that is neither an option nor its value.
std::optional<std::string> positional(const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) return words[i];
    if (words[i] != "--json" && !words[i].contains('=')) ++i;
  }
  return std::nullopt;
}

std::optional<RunningSite> keeper_of(const fs::path& process, int pid, const fs::path& versions) {
  std::error_code code;
  const fs::path program = fs::read_symlink(process / "exe", code);
  // <versions>/<version>/bin/rltune-up
  if (code || program.filename() != "rltune-up" || program.parent_path().parent_path().parent_path() != versions)
    return std::nullopt;
  const auto words = words_of(process);
  const auto site = positional(words);
  const fs::path folder = fs::read_symlink(process / "cwd", code);
  if (!site || code) return std::nullopt;
  RunningSite found{pid, (folder / *site).lexically_normal(), {}, program.parent_path().parent_path().filename()};
  const auto run_folder = option(words, "--run-folder");
  found.run_folder = run_folder ? (folder / *run_folder).lexically_normal() : found.site.parent_path() / ".rltune";
  return found;
}

}  // namespace

std::vector<RunningSite> running_sites(const fs::path& root) {
  std::error_code code;
  const fs::path versions = fs::canonical(root / "versions", code);
  std::vector<RunningSite> sites;
  for (fs::directory_iterator entry("/proc", code), last; !code && entry != last; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    int pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size()) continue;
    if (auto site = keeper_of(entry->path(), pid, versions)) sites.push_back(std::move(*site));
  }
  return sites;
}

bool signal_to_restart(const RunningSite& site) noexcept { return ::kill(site.pid, SIGUSR1) == 0; }

std::vector<std::string> SiteState::healthy() const {
  std::vector<std::string> names;
  for (const auto& [name, state] : roles)
    if (state == "healthy") names.push_back(name);
  return names;
}

struct SiteLink::State {
  std::string endpoint;
  std::optional<bus::Client> client;

  template <typename Answer, typename Request>
  Result<Answer> call(const std::string& method, const Request& request) {
    if (!client) {
      auto connected = bus::Client::connect(endpoint);
      if (!connected) return std::unexpected(connected.error());
      client.emplace(std::move(*connected));
    }
    return client->call<Answer>(method, "coredinator", request, kPatience);
  }
};

SiteLink::SiteLink(const fs::path& run_folder) : state_(std::make_unique<State>()) {
  state_->endpoint = bus::call_endpoint(run_folder.string(), "coredinator");
}

SiteLink::~SiteLink() = default;

SiteState SiteLink::look() {
  SiteState seen;
  const auto health = state_->call<v1::HealthAnswer>("coredinator.Health", v1::HealthRequest());
  if (!health) return seen;
  const auto roles = state_->call<v1::RolesAnswer>("coredinator.Roles", v1::RolesRequest());
  if (!roles) return seen;
  seen.answers = true;
  seen.version = health->version();
  seen.process = health->pid();
  for (const v1::RoleState& role : roles->roles()) {
    seen.roles[role.name()] = role.state();
    seen.processes[role.name()] = role.pid();
  }
  return seen;
}

Result<> SiteLink::ask_to_restart(const std::string& reason, std::chrono::milliseconds ready_within,
                                  std::chrono::milliseconds grace) {
  const auto seconds = [](std::chrono::milliseconds span) { return std::chrono::duration<double>(span).count(); };
  v1::ShutdownRequest request;
  request.set_reason(reason);
  request.set_restart(true);
  request.set_ready_within_s(seconds(ready_within));
  request.set_grace_s(seconds(grace));
  const auto answer = state_->call<v1::ShutdownAnswer>("coredinator.Shutdown", request);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace rltune::upgrade
