#include "season_run.hpp"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <format>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "child.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/free_port.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/site.hpp"
#include "rltune/v1/supervision.pb.h"
#include "site_draft.hpp"

namespace rltune::demo {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr auto kLook = milliseconds(25);        // between two looks at the site
constexpr auto kCloseLook = milliseconds(10);   // the same, while how long something took is measured
constexpr auto kPatience = seconds(60);         // without a new step, after which something is wrong
constexpr auto kTwinDown = milliseconds(1500);  // how long the killed twin stays away

class SeasonRun {
 public:
  SeasonRun(const SeasonOptions& options, Narrator& narrator) : options_(options), narrator_(narrator) {}
  // Where something failed or somebody pressed Ctrl-C, what still runs is asked to stop; killing it is the last means.
  ~SeasonRun() {
    if (up_) up_->signal(SIGTERM), up_->wait(seconds(10));
    if (twin_) twin_->signal(SIGTERM), twin_->wait(seconds(5));
  }
  SeasonRun(const SeasonRun&) = delete;
  SeasonRun& operator=(const SeasonRun&) = delete;

  Result<SeasonResult> run() {
    const auto started = Steady::now();
    if (auto done = start(); !done) return std::unexpected(done.error());
    if (auto done = watch(); !done) return std::unexpected(done.error());
    result_.last = view_;
    result_.steps_done = step_;
    if (view_.values.contains("season_return")) result_.total = view_.values.at("season_return");
    result_.door = door_->use();
    if (auto done = stop(); !done) return std::unexpected(done.error());
    result_.seconds = seconds_since(started);
    return std::move(result_);
  }

 private:
  Result<> start() {
    std::filesystem::create_directories(options_.folder);
    const auto certificate = make_site_identity(options_.folder);
    if (!certificate) return std::unexpected(certificate.error());
    if (auto done = start_twin(0); !done) return done;
    const auto site = write_site(options_, ready_, free_port());
    if (!site) return std::unexpected(site.error());
    const auto loaded = config::load_site(*site);
    if (!loaded) return std::unexpected(loaded.error());
    result_.site = *site;
    result_.data = options_.folder / loaded->storage.folder;
    result_.start = parse_rfc3339(ready_["start"].get<std::string>()).value_or(TimePoint{});
    result_.period_s = ready_["sample_period_s"];
    result_.steps = ready_["steps"];
    view_.days = static_cast<double>(result_.steps) * result_.period_s / 86400.0;
    if (auto done = open_site(*loaded); !done) return done;
    return let_the_season_begin(*certificate);
  }

  // Runs the site, and signs in at it.
  Result<> open_site(const config::Site& site) {
    const auto link = FrontDoor::invite(result_.site, log("invite.log"));
    if (!link) return std::unexpected(link.error());
    const std::filesystem::path run_folder = options_.folder / "run";
    result_.up_command = {"rltune-up", result_.site.string(), "--run-folder", run_folder.string(), "--json"};
    auto up = Child::start({result_.up_command, {}, log("up.log")});
    if (!up) return std::unexpected(up.error());
    up_.emplace(std::move(*up));
    auto coredinator = bus::Client::connect(bus::call_endpoint(run_folder.string(), "coredinator"));
    if (!coredinator) return std::unexpected(coredinator.error());
    coredinator_.emplace(std::move(*coredinator));
    door_.emplace(site);
    if (auto in = door_->enter(*link); !in)
      return fail(in.error().code, std::format("{}; see {}", in.error().message, log("up.log").string()));
    narrator_.say(std::format("{} signed in at the site's gateway, {}", kAdministrator, door_->use().url));
    return {};
  }

  // The plant lets nobody in whom it does not trust: until then its clock stands.
  Result<> let_the_season_begin(const std::filesystem::path& certificate) {
    const std::filesystem::path trusted = twin_keys() / "trusted" / "site.der";
    std::error_code code;
    std::filesystem::copy_file(certificate, trusted, code);
    if (code) return fail(Errc::io, std::format("cannot make {}: {}", trusted.string(), code.message()));
    result_.trust_command = std::format("cp {} {}", certificate.string(), trusted.string());
    return {};
  }

  std::filesystem::path log(const char* name) const { return options_.folder / name; }
  std::filesystem::path twin_keys() const { return options_.folder / "twin-pki"; }

  Result<> start_twin(int port) {
    std::vector<std::string> words{"rltune-twin", "serve", "--plant", "lettuce", "--clock", "plant", "--json"};
    const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
    add({"--pki", twin_keys().string(), "--state", (options_.folder / "season.journal").string()});
    add({"--state-sync", "0", "--port", std::to_string(port), "--start", options_.start, "--days",
         std::to_string(options_.days)});
    add({"--forecast-leads", std::to_string(options_.forecast_leads)});
    words.insert(words.end(), options_.weather.begin(), options_.weather.end());
    if (result_.twin_command.empty()) result_.twin_command = words;
    auto twin = Child::start({words, {}, log("twin.log")});
    if (!twin) return std::unexpected(twin.error());
    twin_.emplace(std::move(*twin));
    const auto line = twin_->read_line(seconds(30));
    if (!line) return fail(Errc::internal, std::format("the twin did not start; see {}", log("twin.log").string()));
    ready_ = json::parse(*line, nullptr, false);
    if (!ready_.is_object()) return fail(Errc::parse, "the twin said something that is not JSON: " + *line);
    return {};
  }

  // Follows the season to its end; the accidents happen on the way.
  Result<> watch() {
    auto moved = Steady::now();
    std::size_t last_step = 0;
    const std::size_t twin_at = share(options_.kill_twin_at), agent_at = share(options_.kill_agent_at);
    while (step_ < result_.steps) {
      look();
      if (interrupted()) return fail(Errc::cancelled, "stopped by the user");
      if (up_->wait(milliseconds(0)))
        return fail(Errc::internal, std::format("the site ended before its season; see {}", log("up.log").string()));
      if (result_.incidents.empty() && step_ >= twin_at && twin_at > 0)
        if (auto done = kill_twin(); !done) return done;
      if (result_.incidents.size() == 1 && step_ >= agent_at)
        if (auto done = kill_agent(); !done) return done;
      if (step_ != last_step) moved = Steady::now();
      last_step = step_;
      if (Steady::now() - moved > kPatience)
        return fail(Errc::timeout,
                    std::format("no plant step for {} s at step {} (link {}, agent {}, {}); see {}", kPatience.count(),
                                step_, view_.link, view_.agent, trouble_, log("up.log").string()));
      std::this_thread::sleep_for(kLook);
    }
    return {};
  }

  std::size_t share(double part) const { return static_cast<std::size_t>(part * static_cast<double>(result_.steps)); }

  void look() {
    const auto seen = door_->look();
    if (!seen) return;
    const api::PlantState& plant = seen->plant;
    view_.link = plant.link_state;
    view_.agent = plant.agent_state;
    view_.mode = plant.mode;
    view_.decisions = plant.decisions;
    view_.reconnects = plant.reconnects;
    trouble_ = plant.link_reason.empty() ? plant.trouble : plant.link_reason;
    view_.verdicts = plant.verdicts;
    if (const auto p99 = plant.latency_us.find("sample_to_write_p99"); p99 != plant.latency_us.end())
      view_.latency_us_p99 = p99->second;
    for (const auto& [tag, value] : seen->values) view_.values[tag] = value;
    if (const double step = view_.values["clock_step"]; std::isfinite(step)) step_ = static_cast<std::size_t>(step);
    view_.day = static_cast<double>(step_) * result_.period_s / 86400.0;
    narrator_.season(view_);
  }

  Incident& note(const char* what) {
    result_.incidents.push_back({.what = what, .step = step_, .day = view_.day, .killed = WallClock().now()});
    return result_.incidents.back();
  }

  // Looks until the plant has gone on from `step`.
  bool goes_on(std::size_t step, std::chrono::milliseconds patience) {
    const auto deadline = Steady::now() + patience;
    while (step_ <= step && Steady::now() < deadline) {
      look();
      std::this_thread::sleep_for(kCloseLook);
    }
    return step_ > step;
  }

  Result<> kill_twin() {
    Incident& incident = note("twin");
    narrator_.say(std::format("day {:.1f}: kill -9 of the twin's server", view_.day));
    view_.happening = "the twin's server is dead";
    twin_->signal(SIGKILL);
    twin_->wait(seconds(5));
    const auto down = Steady::now();
    while (Steady::now() - down < kTwinDown) {
      look();
      std::this_thread::sleep_for(milliseconds(50));
    }
    const std::size_t before = step_;
    const std::string url = ready_["url"];
    if (auto done = start_twin(std::stoi(url.substr(url.rfind(':') + 1))); !done) return done;
    const auto back = Steady::now();
    incident.back = WallClock().now();
    incident.recovered = goes_on(before, seconds(20));
    incident.recovery_s = seconds_since(back);
    view_.happening.clear();
    narrator_.say(std::format("the twin is back at step {}; values flow again {:.2f} s after its return", before,
                              incident.recovery_s));
    return {};
  }

  // Not through the gateway: processes are of this host, and whoever may kill them stands on it. The API names none.
  Result<v1::RolesAnswer> ask_roles() {
    return coredinator_->call<v1::RolesAnswer>("coredinator.Roles", "coredinator", v1::RolesRequest{}, seconds(2));
  }

  Result<pid_t> agent_pid() {
    const auto roles = ask_roles();
    if (!roles) return std::unexpected(roles.error());
    for (const v1::RoleState& role : roles->roles())
      if (role.name().starts_with("agent.")) return role.pid();
    return fail(Errc::not_found, "coredinator knows no agent");
  }

  Result<> kill_agent() {
    const auto pid = agent_pid();
    if (!pid || *pid <= 0) return fail(Errc::internal, "the agent's process is not known");
    Incident& incident = note("agent");
    narrator_.say(std::format("day {:.1f}: kill -9 of the agent", view_.day));
    view_.happening = "the agent is dead; the guard holds";
    const auto killed = Steady::now();
    ::kill(*pid, SIGKILL);
    std::this_thread::sleep_for(milliseconds(5));  // what it proposed before is decided
    look();
    incident.recovered = goes_on(step_, seconds(20));
    incident.recovery_s = seconds_since(killed);
    incident.back = WallClock().now();
    view_.happening.clear();
    narrator_.say(std::format("the loop goes on {:.2f} s after the kill", incident.recovery_s));
    return {};
  }

  // The site first, so that its last writes still reach the plant.
  Result<> stop() {
    std::vector<pid_t> roles;
    if (const auto answer = ask_roles())
      for (const v1::RoleState& role : answer->roles()) roles.push_back(role.pid());
    up_->signal(SIGTERM);
    const auto up = up_->wait(seconds(30));
    twin_->signal(SIGTERM);
    const auto twin = twin_->wait(seconds(10));
    const bool none_left = std::ranges::none_of(roles, [](pid_t pid) { return pid > 0 && ::kill(pid, 0) == 0; });
    result_.stopped_in_order = up && *up == 0 && twin && *twin == 0 && !roles.empty() && none_left;
    return {};
  }

  const SeasonOptions& options_;
  Narrator& narrator_;
  std::optional<Child> twin_, up_;
  std::optional<bus::Client> coredinator_;
  std::optional<FrontDoor> door_;
  json ready_;
  std::string trouble_;
  SeasonView view_;
  std::size_t step_ = 0;
  SeasonResult result_;
};

}  // namespace

Result<SeasonResult> run_season(const SeasonOptions& options, Narrator& narrator) {
  return SeasonRun(options, narrator).run();
}

}  // namespace rltune::demo
