#include <map>

#include "footprint.hpp"
#include "kills.hpp"
#include "live_site.hpp"
#include "parts.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::PilotSite;

constexpr const char* kRoles[] = {"coredinator", "io", "agent.climate", "learner.climate"};
// Between two kills: who ran for ten seconds starts again without delay.
constexpr double kCalmSecondsMin = 12.0, kCalmSecondsMax = 30.0;
// The other half is without: every restart gives memory back and would hide a leak.
constexpr double kShareOfKills = 0.5;

double hours_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::ratio<3600>>(steady_clock::now() - begin).count();
}

void kill_at_random(PilotSite& site, double seconds, Rows& rows) {
  Random random(static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count()));
  std::map<std::string, std::vector<double>> ms;
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::duration<double>(random.uniform(kCalmSecondsMin, kCalmSecondsMax)));
    const std::string victim =
        std::array{"agent.climate", "learner.climate", "coredinator", "io", "twin"}[random.below(5)];
    ms[victim].push_back(victim == "twin" ? ms_after_restarting_twin(site) : ms_after_killing(site, victim));
  }
  const std::map<std::string, double> bounds{{"agent.climate", 1000.0},
                                             {"learner.climate", 1000.0},
                                             {"coredinator", 1000.0},
                                             {"io", 5000.0},
                                             {"twin", 2000.0}};
  for (const auto& [victim, times] : ms)
    rows.push_back(slowest(std::format("{} killed {} times at random, deciding again; slowest", victim, times.size()),
                           "ms", times, bounds.at(victim)));
}

// Nobody is killed: what grows now would grow for ever.
void watch(PilotSite& site, double seconds, Rows& rows) {
  std::map<std::string, pid_t> pids;
  std::map<std::string, Growth> growth;
  std::map<std::string, std::vector<double>> descriptors;
  for (const char* role : kRoles) pids[role] = process_of(site, role);
  std::this_thread::sleep_for(5s);
  const auto begin = steady_clock::now();
  const double files_before = look_at(site.path("site/data")).mib;
  double wal = 0.0;
  while (hours_since(begin) * 3600.0 < seconds) {
    for (const auto& [role, pid] : pids) {
      const Process process = look_at(pid);
      growth[role].add(hours_since(begin), process.resident_mib);
      descriptors[role].push_back(process.descriptors);
    }
    wal = std::max(wal, look_at(site.path("site/data")).wal_mib);
    std::this_thread::sleep_for(2s);
  }
  const double hours = hours_since(begin);
  for (const auto& [role, of] : growth) {
    rows.push_back(single(std::format("{}: resident memory, growth in {:.1f} min without kills", role, hours * 60.0),
                          "MiB", of.mib(), 8.0 + 4.0 * hours));
    rows.push_back(single(std::format("{}: resident memory, slope", role), "MiB/h", of.mib_per_hour()));
    rows.push_back(single(std::format("{}: open descriptors, growth", role), "",
                          descriptors[role].back() - descriptors[role].front(), 2.0));
  }
  rows.push_back(single("write-ahead logs, largest", "MiB", wal, 40.0));
  rows.push_back(single("data folder, growth", "MiB/h", (look_at(site.path("site/data")).mib - files_before) / hours));
}

// Every set-point that reached the plant, against its limits.
void count_breaches(const PilotSite& site, Rows& rows) {
  const env::PlantSpec spec = (*env::make_plant("lettuce", 1))->spec();
  const auto decisions =
      historian::read_decisions(site.path("site/data/decisions"), TimePoint{}, TimePoint::max(), 100'000'000);
  if (!decisions) give_up(decisions.error().message);
  double breaches = 0.0;
  for (const historian::Decision& decision : *decisions)
    for (const historian::DecisionOutput& output : decision.outputs) {
      const auto input = std::ranges::find(spec.inputs, output.tag, &env::Variable::name);
      breaches += output.written && !(output.applied >= input->low && output.applied <= input->high) ? 1.0 : 0.0;
    }
  rows.push_back(single("decisions on record", "", static_cast<double>(decisions->size())));
  rows.push_back(single("of them set-points outside their limits", "", breaches, 0.0));
}

}  // namespace

Rows soak_live(double seconds) {
  PilotSite site(live_options(true));
  site.start();
  if (!site.decides(10)) give_up(site.everything());
  Rows rows;
  kill_at_random(site, kShareOfKills * seconds, rows);
  watch(site, (1.0 - kShareOfKills) * seconds, rows);
  site.up().signal(SIGTERM);
  rows.push_back(single("end of the site after SIGTERM, exit status", "", site.up().wait(30s).value_or(-1), 0.0));
  count_breaches(site, rows);
  return rows;
}

}  // namespace rltune::bench
