#include "kills.hpp"

#include "parts.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using testing::PilotSite;

// A proposal that was on its way when its sender was killed still counts to the time before.
constexpr auto kInFlight = 20ms;
constexpr auto kPatience = 30s;

double until_decided(PilotSite& site, TimePoint since, Duration in_flight = {}) {
  double ms = to_seconds(kPatience) * 1e3;
  const auto decided = [&] {
    const auto recorded =
        historian::read_decisions(site.path("site/data/decisions"), since + in_flight, TimePoint::max(), 100'000);
    for (const historian::Decision& decision : recorded.value_or(std::vector<historian::Decision>())) {
      if (decision.origin != "policy" || !decision.outputs.front().written) continue;
      ms = to_seconds(decision.wall_time - since) * 1e3;
      return true;
    }
    std::this_thread::sleep_for(100ms);
    return false;
  };
  PilotSite::eventually(decided, kPatience);
  return ms;
}

}  // namespace

pid_t process_of(PilotSite& site, const std::string& role) {
  if (role != "coredinator") return site.role(role).pid();
  const auto health = site.ask<v1::HealthAnswer>(role, "coredinator.Health", v1::HealthRequest());
  return health ? health->pid() : 0;
}

double ms_after_killing(PilotSite& site, const std::string& role) {
  pid_t pid = 0;
  const bool runs = site.decides(10) && PilotSite::eventually([&] { return (pid = process_of(site, role)) > 0; }, 20s);
  if (!runs) give_up(site.everything());
  ::kill(pid, SIGKILL);
  return until_decided(site, WallClock().now(), kInFlight);
}

double ms_after_restarting_twin(PilotSite& site) {
  if (!site.decides(10)) give_up(site.everything());
  site.twin().signal(SIGKILL);
  site.twin().wait(5s);
  std::this_thread::sleep_for(1s);
  site.start_twin();
  return until_decided(site, WallClock().now());
}

}  // namespace rltune::bench
