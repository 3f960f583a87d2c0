#include "front_door.hpp"

#include <chrono>
#include <format>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "child.hpp"
#include "rltune/access/secret.hpp"
#include "rltune/api/account.hpp"
#include "rltune/api/history.hpp"
#include "rltune/base/interrupt.hpp"
#include "story.hpp"

namespace rltune::demo {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kOpensWithin = 30s;
constexpr auto kKnock = 20ms;  // between two looks whether the gateway is there
constexpr auto kCallPatience = 2s;

std::filesystem::path certificate_of(const config::Site& site) {
  return site.folder / site.storage.folder / "access" / "certificate.pem";
}

}  // namespace

std::string FrontDoor::users_text() {
  return std::format(
      "# Written by rltune demo.\nschema: rltune/users/v1\nusers:\n"
      "  - {{name: {0}, full_name: Ada Lovelace, role: admin, password_hash_file: secrets/{0}}}\n",
      kAdministrator);
}

Result<std::string> FrontDoor::invite(const std::filesystem::path& site_file, const std::filesystem::path& log) {
  auto child = Child::start({{"rltune-gateway", "invite", kAdministrator, site_file.string(), "--json"}, {}, log});
  if (!child) return std::unexpected(child.error());
  const auto status = child->wait(kOpensWithin);
  const auto said = nlohmann::json::parse(child->output(), nullptr, false);
  if (status != 0 || !said.is_object() || !said.contains("link"))
    return fail(Errc::internal, std::format("nobody could be invited: {}; see {}", last_line(log), log.string()));
  return said["link"].get<std::string>();
}

FrontDoor::FrontDoor(const config::Site& site)
    : certificate_(certificate_of(site)),
      site_(std::format("https://localhost:{}", site.gateway.port),
            {.ca_file = certificate_, .connect_timeout = kCallPatience, .timeout = kCallPatience}) {
  use_.url = std::format("https://localhost:{}", site.gateway.port);
}

template <typename Call>
auto FrontDoor::timed(const Call& call) {
  const auto begin = Steady::now();
  auto answer = call();
  use_.call_us.push_back(1e6 * seconds_since(begin));
  if (!answer) ++use_.failed;
  return answer;
}

Result<> FrontDoor::enter(const std::string& link) {
  const std::string password = access::make_secret();
  if (auto chosen = choose_password(link, password); !chosen) return chosen;
  return timed([&] { return site_.sign_in({.user = kAdministrator, .password = password}); });
}

// The gateway makes its certificate first and listens then.
Result<> FrontDoor::choose_password(const std::string& link, const std::string& password) {
  const auto deadline = Steady::now() + kOpensWithin;
  const std::string body = api::to_json(api::NewPassword{.link = link, .password = password});
  while (!interrupted()) {
    if (std::filesystem::exists(certificate_)) {
      const auto begin = Steady::now();
      const auto chosen = site_.call_json(*client::find_operation("setPassword"), {}, body);
      if (chosen) return use_.call_us.push_back(1e6 * seconds_since(begin)), Result<>();
      if (chosen.error().code != Errc::disconnected) return std::unexpected(chosen.error());
    }
    if (Steady::now() > deadline)
      return fail(Errc::timeout, std::format("the gateway did not open within {} s", kOpensWithin.count()));
    std::this_thread::sleep_for(kKnock);
  }
  return fail(Errc::cancelled, "stopped by the user");
}

Result<SiteLook> FrontDoor::look() {
  auto plant = timed([&] { return site_.call<api::PlantState>("getPlant"); });
  if (!plant) return std::unexpected(plant.error());
  const auto list = timed([&] { return site_.call<api::TagList>("listTags"); });
  if (!list) return std::unexpected(list.error());
  SiteLook seen{.plant = std::move(*plant), .values = {}};
  for (const api::TagInfo& tag : list->tags)
    for (const api::SampleInfo& sample : tag.latest)
      if (sample.element == 0) seen.values[tag.name] = sample.value.value_or(std::numeric_limits<double>::quiet_NaN());
  return seen;
}

}  // namespace rltune::demo
