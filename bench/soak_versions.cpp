// Versions of an agent at work: switched a thousand times under load, bad in every way, and killed at every step.
#include <map>

#include "parts.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "site_versions.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::PilotSite;
using testing::SiteVersions;

double ms_since(steady_clock::time_point moment) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - moment).count();
}

// A site whose first version decides.
struct Running {
  Running() : site(options()), versions(site) {
    site.start();
    if (!site.decides(10)) give_up(site.everything());
  }
  // The plant does not move its set-points itself when it hears nothing: every move is ours. Its season, a step every
  // 0.1 s, lasts half an hour: nothing moves afterwards.
  static testing::PilotOptions options() {
    testing::PilotOptions options = testing::versions_options();
    options.twin_arguments.insert(options.twin_arguments.end(), {"--shed-after", "0", "--days", "360"});
    return options;
  }
  PilotSite site;
  SiteVersions versions;
};

// By the plant's own record.
double breaches_of(PilotSite& site) {
  std::size_t breaches = 0;
  for (const config::OutputRule& rule : site.rules())
    breaches += testing::judge({.rule = rule}, site.record(rule.tag)).breaches.size();
  return static_cast<double>(breaches);
}

// Between two decisions of a policy that reached the plant.
double longest_gap_ms(PilotSite& site, TimePoint from) {
  Duration longest{};
  std::optional<TimePoint> before;
  for (const historian::Decision& decision : site.recorded(from)) {
    if (decision.origin != "policy") continue;
    if (before) longest = std::max<Duration>(longest, decision.wall_time - *before);
    before = decision.wall_time;
  }
  return 1e3 * to_seconds(longest);
}

// ---- bad versions -------------------------------------------------------------------------------------

// Millions of weights: a decision takes a millisecond or more, the process tens of MiB.
void make_large(policy::Artifact& artifact) {
  constexpr std::size_t kWidth = 2048;
  nn::NetworkDescription& network = artifact.network;
  const std::size_t inputs = artifact.manifest.observation.size(), outputs = artifact.manifest.action.size();
  const auto layer = [](std::size_t from, std::size_t to, nn::Activation activation) {
    return nn::DenseLayer{from, to, std::vector<float>(from * to, 1e-4F), std::vector<float>(to), activation};
  };
  network.layers = {layer(inputs, kWidth, nn::Activation::relu), layer(kWidth, kWidth, nn::Activation::relu),
                    layer(kWidth, outputs, nn::Activation::tanh)};
}

// Its numbers overflow.
void make_infinite(policy::Artifact& artifact) {
  for (nn::DenseLayer& layer : artifact.network.layers) std::ranges::fill(layer.weight, 3e38F);
}

struct Bad {
  const char* what;
  // Deploys it, makes it bad and returns its deadline; silence has one of a second.
  std::function<steady_clock::time_point(Running&, const std::string& version)> happens;
  const char* reason;
};

void deploy(Running& run, const std::string& version, const std::string& folder, const v1::Traffic& traffic) {
  if (const auto done = run.versions.deploy(folder, version, traffic); !done) give_up(done.error().message);
}

v1::Traffic long_in_shadow() {
  v1::Traffic traffic = SiteVersions::quick_traffic();
  traffic.set_shadow_s(600.0);
  return traffic;
}

void reach(Running& run, const std::string& version, const std::string& state) {
  if (!run.versions.reaches(version, state))
    give_up(std::format("{} is {}: {}\n{}", version, run.versions.version(version).state(),
                        run.versions.version(version).reason(), run.site.everything()));
}

steady_clock::time_point signalled(Running& run, const std::string& version, int signal, const std::string& state) {
  v1::Traffic traffic = state == "active" ? SiteVersions::quick_traffic() : long_in_shadow();
  deploy(run, version, run.versions.artifact("good", 2), traffic);
  reach(run, version, state);
  if (state == "active" && !run.versions.acts(version)) give_up(run.site.everything());
  ::kill(run.versions.pid(version), signal);
  return steady_clock::now();
}

// What it does is judged from its tenth proposal on.
steady_clock::time_point judged(Running& run, const std::string& version,
                                const std::function<void(policy::Artifact&)>& change, const v1::Traffic& traffic,
                                std::uint64_t proposals = 10) {
  deploy(run, version, run.versions.artifact("bad", 3, change), traffic);
  const bool seen = PilotSite::eventually(
      [&] {
        return run.versions.report(version).proposals() >= proposals ||
               run.versions.version(version).state() == "rolled_back";
      },
      20s);
  if (!seen) give_up(run.site.everything());
  return steady_clock::now();
}

const std::vector<Bad>& bad_kinds() {
  static const std::vector<Bad> kinds{
      {"crashes in shadow", [](auto& run, const auto& version) { return signalled(run, version, SIGSEGV, "shadow"); },
       "it died"},
      {"hangs in shadow",
       [](auto& run, const auto& version) { return signalled(run, version, SIGSTOP, "shadow") + 1s; }, "no proposal"},
      {"crashes while active",
       [](auto& run, const auto& version) { return signalled(run, version, SIGSEGV, "active"); }, "it died"},
      {"hangs while active",
       [](auto& run, const auto& version) { return signalled(run, version, SIGSTOP, "active") + 1s; }, "no proposal"},
      {"takes too much memory",
       [](auto& run, const auto& version) {
         v1::Traffic traffic = long_in_shadow();
         traffic.set_memory_max_mib(32.0);
         return judged(run, version, make_large, traffic, 1);
       },
       "of memory"},
      {"is slow",
       [](auto& run, const auto& version) {
         v1::Traffic traffic = long_in_shadow();
         traffic.set_latency_max_s(0.0002);
         return judged(run, version, make_large, traffic);
       },
       "half of its decisions"},
      {"jumps",
       [](auto& run, const auto& version) {
         // Some of its first ten may happen to lie close together.
         return judged(run, version, testing::make_restless, long_in_shadow(), 20);
       },
       "the guard changes"},
      {"computes what is not finite",
       [](auto& run, const auto& version) { return judged(run, version, make_infinite, long_in_shadow(), 1); },
       "not finite"},
      {"is of another plant",
       [](auto& run, const auto& version) {
         deploy(run, version, run.versions.artifact("other", 4, {}, "cstr"), long_in_shadow());
         return steady_clock::now();
       },
       "refused"},
      {"is damaged",
       [](auto& run, const auto& version) {
         const std::string folder = run.versions.artifact("damaged", 5);
         if (!write_file(folder + "/policy.onnx", "not a graph " + version)) give_up("cannot write " + folder);
         deploy(run, version, folder, long_in_shadow());
         return steady_clock::now();
       },
       "refused"},
  };
  return kinds;
}

// ---- kills --------------------------------------------------------------------------------------------

// The state of a version as the registry's file has it, without asking anybody: empty before it is there.
std::string state_on_disk(SQLite::Database& database, const std::string& version) {
  SQLite::Statement row(database, "SELECT state, step FROM versions WHERE agent = 'climate' AND version = ?");
  row.bind(1, version);
  if (!row.executeStep()) return {};
  const std::string state = row.getColumn(0).getString();
  return state == "canary" ? std::format("canary {}", row.getColumn(1).getInt()) : state;
}

double active_on_disk(SQLite::Database& database) {
  SQLite::Statement row(database, "SELECT COUNT(*) FROM versions WHERE agent = 'climate' AND state = 'active'");
  return row.executeStep() ? row.getColumn(0).getInt() : -1;
}

// How often each role of the site runs, by the kernel's process table.
std::map<std::string, int> processes_of(const PilotSite& site) {
  std::map<std::string, int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto bytes = read_file(entry.path() / "cmdline");
    if (!bytes || bytes->find(site.site_file()) == std::string::npos) continue;
    std::string line = *bytes;
    std::ranges::replace(line, '\0', ' ');
    const std::string program = std::filesystem::path(line.substr(0, line.find(' '))).filename();
    const std::size_t instance = line.find("--instance ");
    const std::string of =
        instance == std::string::npos ? "" : line.substr(instance, line.find(' ', instance + 11) - instance);
    if (program.starts_with("rltune-") && program != "rltune-up") ++found[program + " " + of];
  }
  return found;
}

struct Tally {
  std::size_t kills = 0;
  double not_one_active = 0.0, orphans = 0.0, wrong_end = 0.0;
  std::vector<double> back_ms;
};

void kill_victim(Running& run, const std::string& victim) {
  if (victim == "keeper") {
    run.site.up().signal(SIGKILL);
    run.site.up().wait(10s);
    const bool gone = PilotSite::eventually([&] { return processes_of(run.site).empty(); }, 10s);
    if (!gone) give_up("roles outlive their keeper");
    return run.site.start_up();
  }
  const auto health = run.site.ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
  if (!health) give_up(run.site.everything());
  ::kill(health->pid(), SIGKILL);
}

// One version's life up to `state`, the kill at the moment when that is on disk, and what is there afterwards.
void kill_at(Running& run, SQLite::Database& registry, const std::string& victim, const std::string& state,
             const std::string& version, Tally& tally) {
  const auto health = run.site.ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
  v1::Traffic traffic = SiteVersions::quick_traffic();
  traffic.set_shadow_s(0.3);
  traffic.set_shadow_proposals(2);
  traffic.set_canary_s(0.3);
  traffic.add_canary_percent(10.0);
  traffic.add_canary_percent(50.0);
  traffic.set_probation_s(state == "rolled_back" ? 600.0 : 1.0);
  const std::string before = run.versions.agent().active();
  deploy(run, version, run.versions.artifact("good", 2 + tally.kills), traffic);
  if (state == "rolled_back") {
    if (!run.versions.acts(version)) give_up(run.site.everything());
    ::kill(run.versions.pid(version), SIGKILL);
  }
  // "retired" is its predecessor's: probation is over.
  const std::string& watched = state == "retired" ? before : version;
  const auto limit = steady_clock::now() + 20s;
  while (state_on_disk(registry, watched) != state && steady_clock::now() < limit) std::this_thread::sleep_for(500us);
  if (steady_clock::now() >= limit) give_up(version + " never was " + state + "\n" + run.site.everything());
  if (victim == "coredinator")
    ::kill(health->pid(), SIGKILL);
  else
    kill_victim(run, victim);
  const auto killed = steady_clock::now();
  ++tally.kills;
  tally.not_one_active += active_on_disk(registry) == 1 ? 0.0 : 1.0;
  if (!run.site.decides(3)) give_up(run.site.everything());
  tally.back_ms.push_back(ms_since(killed));
  // It goes on to where it was going.
  const std::string end = state == "rolled_back" ? "rolled_back" : "active",
                    acting = state == "rolled_back" ? before : version;
  const bool arrived = run.versions.reaches(version, end, 30s) && run.versions.acts(acting) &&
                       (state == "rolled_back" || run.versions.reaches(before, "retired", 30s));
  tally.wrong_end += arrived ? 0.0 : 1.0;
  tally.not_one_active += active_on_disk(registry) == 1 ? 0.0 : 1.0;
  // io, coredinator and one agent, each once, when what is not needed any more is gone.
  const bool clean = PilotSite::eventually(
      [&] {
        const auto running = processes_of(run.site);
        return running.size() == 3 && std::ranges::all_of(running, [](const auto& role) { return role.second == 1; });
      },
      20s);
  tally.orphans += clean ? 0.0 : 1.0;
  if (!clean || !arrived)
    std::println(stderr, "site_bench: {} killed at '{}': version {} is {}, {} acts; {} processes", victim, state,
                 version, run.versions.version(version).state(), run.versions.agent().active(),
                 processes_of(run.site).size());
}

// ---- crashes ------------------------------------------------------------------------------------------

v1::HealthAnswer health_of(PilotSite& site, const std::string& role, milliseconds patience) {
  const std::string kind = role.substr(0, role.find('.'));
  const auto answer = site.ask<v1::HealthAnswer>(role, kind + ".Health", v1::HealthRequest(), patience);
  return answer ? *answer : v1::HealthAnswer();
}

double ms_from_crash_to_health(PilotSite& site, const std::string& role) {
  const pid_t before = health_of(site, role, 2s).pid();
  if (before == 0) give_up(role + " does not answer\n" + site.everything());
  ::kill(before, SIGKILL);
  const auto killed = steady_clock::now();
  while (ms_since(killed) < 30'000.0) {
    const v1::HealthAnswer health = health_of(site, role, 20ms);
    if (health.healthy() && health.pid() != before) return ms_since(killed);
  }
  give_up(role + " did not come back\n" + site.everything());
}

}  // namespace

Rows soak_crashes(double rounds) {
  constexpr double kBoundMs = 250.0;
  Running run;
  std::map<std::string, std::vector<double>> ms;
  for (int round = 0; round < static_cast<int>(rounds); ++round) {
    std::this_thread::sleep_for(31s);
    for (const char* role : {"agent.climate", "io", "coredinator"})
      ms[role].push_back(ms_from_crash_to_health(run.site, role));
  }
  Rows rows;
  for (const auto& [role, times] : ms) {
    rows.push_back(repeated(std::format("{} killed, the first healthy answer; p50", role), "ms", times));
    rows.push_back(single(std::format("{} killed, the first healthy answer; p99 of {}", role, times.size()), "ms",
                          quantile(times, 0.99), kBoundMs));
  }
  return rows;
}

Rows soak_switches(double switches) {
  Running run;
  v1::Traffic traffic = SiteVersions::quick_traffic();
  traffic.set_hold(true);
  deploy(run, "2.0.0", run.versions.artifact("second", 2), traffic);
  reach(run, "2.0.0", "shadow");
  std::vector<std::unique_ptr<testing::CallLoad>> loads;
  for (int i = 0; i < 4; ++i) loads.push_back(std::make_unique<testing::CallLoad>(run.site.run_folder()));
  const TimePoint begun = WallClock().now();
  std::vector<double> in_force_ms;
  for (int i = 0; i < static_cast<int>(switches); ++i) {
    const std::string next = i % 2 == 0 ? "2.0.0" : "0.0.0";
    const auto asked = steady_clock::now();
    const auto answer = run.versions.order("promote", next);
    if (!answer) give_up(answer.error().message);
    if (!PilotSite::eventually([&] { return run.versions.agent().in_force(); }, 10s)) give_up(run.site.everything());
    in_force_ms.push_back(ms_since(asked));
  }
  double answered = 0.0, failed = 0.0;
  for (const auto& load : loads) {
    load->stop();
    answered += static_cast<double>(load->answered);
    failed += static_cast<double>(load->failed);
    if (load->failed > 0) std::println(stderr, "site_bench: a call failed: {}", load->first_error);
  }
  Rows rows{single("switches between two versions under load", "", switches),
            single("calls to the agent meanwhile", "", answered), single("of them failed", "", failed, 0.0)};
  add_quantiles(rows, "from the order until io has confirmed it", "ms", in_force_ms);
  rows.push_back(
      single("longest time between two decisions that reached the plant", "ms", longest_gap_ms(run.site, begun)));
  rows.push_back(single("set-points outside the site's rules, by the plant's record", "", breaches_of(run.site), 0.0));
  return rows;
}

Rows soak_bad_versions(double versions) {
  constexpr double kRolledBackWithinMs = 2000.0;
  Running run;
  std::map<std::string, std::vector<double>> ms;
  double other_reason = 0.0;
  const TimePoint begun = WallClock().now();
  for (int i = 0; i < static_cast<int>(versions); ++i) {
    const Bad& bad = bad_kinds()[static_cast<std::size_t>(i) % bad_kinds().size()];
    const std::string version = std::format("1.0.{}", i + 1);
    const auto deadline = bad.happens(run, version);
    reach(run, version, "rolled_back");
    ms[bad.what].push_back(std::max(0.0, ms_since(deadline)));
    if (run.versions.version(version).reason().find(bad.reason) == std::string::npos) {
      other_reason += 1.0;
      std::println(stderr, "site_bench: {} {}, but: {}", version, bad.what, run.versions.version(version).reason());
    }
    if (!run.versions.acts("0.0.0")) give_up(run.site.everything());
  }
  Rows rows{single("bad versions deployed", "", versions),
            single("rolled back for another reason than what was wrong", "", other_reason, 0.0)};
  for (const auto& [what, times] : ms)
    rows.push_back(
        slowest(std::format("a version that {}: rolled back after its deadline; slowest of {}", what, times.size()),
                "ms", times, kRolledBackWithinMs));
  rows.push_back(
      single("longest time between two decisions that reached the plant", "ms", longest_gap_ms(run.site, begun)));
  rows.push_back(single("set-points outside the site's rules, by the plant's record", "", breaches_of(run.site), 0.0));
  return rows;
}

Rows soak_transitions(double rounds) {
  Running run;
  const auto registry = sqlite::open_reader(run.site.path("site/data/registry.db"));
  std::map<std::string, Tally> tallies;
  int number = 0;
  for (int round = 0; round < static_cast<int>(rounds); ++round)
    for (const char* victim : {"coredinator", "keeper"})
      for (const char* state :
           {"staged", "validating", "shadow", "canary 0", "canary 1", "active", "retired", "rolled_back"})
        kill_at(run, *registry, victim, state, std::format("1.0.{}", ++number), tallies[victim]);
  Rows rows;
  for (const auto& [victim, tally] : tallies) {
    rows.push_back(single(std::format("{} killed at every step of a version's life", victim), "kills",
                          static_cast<double>(tally.kills)));
    rows.push_back(single("  not exactly one active version", "", tally.not_one_active, 0.0));
    rows.push_back(single("  the version did not go on to where it was going", "", tally.wrong_end, 0.0));
    rows.push_back(single("  a role missing, twice, or left over", "", tally.orphans, 0.0));
    rows.push_back(repeated("  three decisions after the kill", "ms", tally.back_ms));
  }
  rows.push_back(single("set-points outside the site's rules, by the plant's record", "", breaches_of(run.site), 0.0));
  return rows;
}

}  // namespace rltune::bench
