#include "live_site.hpp"
#include "parts.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using testing::PilotSite;

// A proposal that was on its way when its sender was killed still counts to the time before.
constexpr auto kInFlight = 20ms;

double ms_between(TimePoint from, TimePoint to) { return to_seconds(to - from) * 1e3; }

std::vector<historian::Decision> recorded(const PilotSite& site, TimePoint from) {
  auto decisions = historian::read_decisions(site.path("site/data/decisions"), from, TimePoint::max(), 1'000'000);
  if (!decisions) give_up(decisions.error().message);
  return *decisions;
}

// Milliseconds from `since` to the next decision of the policy that reached the plant, by the records.
double until_decided(PilotSite& site, TimePoint since, Duration in_flight = {}) {
  double ms = 0.0;
  const bool back = PilotSite::eventually(
      [&] {
        for (const historian::Decision& decision : recorded(site, since)) {
          if (decision.wall_time <= since + in_flight || decision.origin != "policy" ||
              !decision.outputs.front().written)
            continue;
          ms = ms_between(since, decision.wall_time);
          return true;
        }
        std::this_thread::sleep_for(100ms);
        return false;
      },
      30s);
  if (!back) give_up(site.everything());
  return ms;
}

pid_t pid_of(PilotSite& site, const std::string& role) {
  pid_t pid = 0;
  if (!PilotSite::eventually([&] { return (pid = site.role(role).pid()) > 0; }, 20s)) give_up(site.everything());
  return pid;
}

double kill_role(PilotSite& site, const std::string& role) {
  if (!site.decides(10)) give_up(site.everything());
  const pid_t pid = pid_of(site, role);
  ::kill(pid, SIGKILL);
  return until_decided(site, WallClock().now(), kInFlight);
}

// Counted from the twin's own "ready": how long it was away is not our time.
double kill_twin(PilotSite& site) {
  if (!site.decides(10)) give_up(site.everything());
  site.twin().signal(SIGKILL);
  site.twin().wait(5s);
  std::this_thread::sleep_for(1s);
  site.start_twin();
  return until_decided(site, WallClock().now());
}

}  // namespace

Rows recovery(double repetitions) {
  std::vector<double> agent, io, twin, learner;
  PilotSite site(live_options(true));
  site.start();
  for (int i = 0; i < static_cast<int>(repetitions); ++i) {
    agent.push_back(kill_role(site, "agent.climate"));
    learner.push_back(kill_role(site, "learner.climate"));
    io.push_back(kill_role(site, "io"));
    twin.push_back(kill_twin(site));
    std::this_thread::sleep_for(11s);  // a role that ran for ten seconds starts again without delay
  }
  return {slowest("agent killed, deciding again; slowest", "ms", agent, 1000.0),
          slowest("learner killed, the next decision; slowest", "ms", learner, 1000.0),
          slowest("io killed, deciding again; slowest", "ms", io),
          slowest("twin killed and back, deciding again after its return; slowest", "ms", twin, 2000.0)};
}

}  // namespace rltune::bench
