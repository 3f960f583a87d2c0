#include "running_site.hpp"

#include <algorithm>
#include <format>
#include <print>
#include <thread>

#include "rltune/base/clock.hpp"

namespace rltune::config_command {
namespace {

using namespace std::chrono_literals;

constexpr auto kFindPatience = 500ms, kAskPatience = 10'000ms, kLookEvery = 100ms;
constexpr double kDefaultWithin = 30.0;
// A change that is taken back has its time again, 30 s at the least; coredinator may start again in between.
constexpr double kSlack = 15.0;

bool over(const std::string& state) { return state == "applied" || state == "went_back" || state == "failed"; }

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::optional<RunningSite> RunningSite::find(const std::filesystem::path& run_folder) {
  RunningSite site;
  auto client = bus::Client::connect(bus::call_endpoint(run_folder.string(), "coredinator"));
  if (!client) return std::nullopt;
  site.client_.emplace(std::move(*client));
  const auto answer =
      site.client_->call<v1::ConfigAnswer>("coredinator.Config", "coredinator", v1::ConfigRequest(), kFindPatience);
  if (!answer && (answer.error().code == Errc::timeout || answer.error().code == Errc::disconnected))
    return std::nullopt;
  return site;
}

v1::ConfigAnswer RunningSite::state() {
  return or_stop(
      client_->call<v1::ConfigAnswer>("coredinator.Config", "coredinator", v1::ConfigRequest(), kAskPatience));
}

v1::ConfigAnswer RunningSite::take_over(v1::ApplyConfigRequest request, double within_s) {
  request.set_within_s(within_s);
  const auto begun = client_->call<v1::ConfigAnswer>("coredinator.ApplyConfig", "coredinator", request, kAskPatience);
  if (!begun) stop(begun.error());
  const WallClock clock;
  const double within = within_s > 0.0 ? within_s : kDefaultWithin;
  const Duration end = clock.steady() + from_seconds(within + std::max(within, kDefaultWithin) + kSlack);
  while (clock.steady() < end) {
    const auto answer =
        client_->call<v1::ConfigAnswer>("coredinator.Config", "coredinator", v1::ConfigRequest(), kFindPatience);
    if (answer && over(answer->state())) return *answer;
    std::this_thread::sleep_for(kLookEvery);
  }
  stop(kFailed, std::format("version {} is under way and its end is not in sight; 'rltune config state' tells more",
                            begun->version()));
}

void say(const v1::ConfigAnswer& answer) {
  if (answer.state() == "applied") {
    if (answer.live_size() > 0) std::println("Taken over as they run: {}", joined(answer.live()));
    if (answer.restarts_size() > 0) std::println("Started again, and well: {}", joined(answer.restarts()));
    return;
  }
  std::println(stderr, "rltune: {}: {}",
               answer.state() == "went_back" ? "the site went back to what was before" : "the site is not well",
               answer.reason());
}

ordered_json to_json(const v1::ConfigAnswer& answer) {
  ordered_json out{{"state", answer.state()}, {"version", answer.version()}, {"reason", answer.reason()}};
  out["restarts"] = std::vector<std::string>(answer.restarts().begin(), answer.restarts().end());
  out["live"] = std::vector<std::string>(answer.live().begin(), answer.live().end());
  return out;
}

}  // namespace rltune::config_command
