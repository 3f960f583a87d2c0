#include <cmath>
#include <map>

#include "parts.hpp"
#include "pilot_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::PilotSite;

constexpr int kDays = 40;

testing::PilotOptions options() {
  return {.days = kDays,
          .twin_arguments = {"--start", "2014-02-09", "--days", std::to_string(kDays), "--forecast-leads", "0"}};
}

bool reached(PilotSite& site, double step) {
  return PilotSite::eventually([&] { return site.value("clock_step") >= step; }, 120s);
}

// What the season returned, with `victim` killed when `at` steps are done; nobody when empty.
double season_return(const std::string& victim, double at) {
  PilotSite site(options());
  site.start();
  if (!victim.empty()) {
    if (!reached(site, at)) give_up(site.everything());
    if (victim == "twin") {
      site.twin().signal(SIGKILL);
      site.twin().wait(5s);
      site.start_twin();
    } else {
      ::kill(site.role(victim).pid(), SIGKILL);
    }
  }
  if (!reached(site, 48.0 * kDays)) give_up(victim + " was killed and the season did not go on\n" + site.everything());
  return site.value("season_return");
}

}  // namespace

Rows soak_lockstep(double seconds) {
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  const double undisturbed = season_return("", 0.0);
  Random random(static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count()));
  struct Outcome {
    double seasons = 0.0, differing = 0.0, largest = 0.0;
  };
  std::map<std::string, Outcome> outcomes;
  while (steady_clock::now() < end) {
    const std::string victim = std::array{"agent.climate", "io", "twin"}[random.below(3)];
    const double at = std::floor(random.uniform(10.0, 48.0 * kDays - 200.0));
    const double difference = std::abs(season_return(victim, at) - undisturbed);
    Outcome& outcome = outcomes[victim];
    ++outcome.seasons;
    outcome.largest = std::max(outcome.largest, difference);
    if (difference <= 1e-6) continue;
    ++outcome.differing;
    std::println(stderr, "soak: {} killed at step {}: the return differs by {:g}", victim, at, difference);
  }
  Rows rows;
  for (const auto& [victim, outcome] : outcomes) {
    const std::string what = std::format("lockstep: {} killed in {} seasons", victim, outcome.seasons);
    rows.push_back(single(what + ", those with another return", "", outcome.differing, 0.0));
    rows.push_back(single(what + ", largest difference of returns", "", outcome.largest, 1e-6));
  }
  return rows;
}

}  // namespace rltune::bench
