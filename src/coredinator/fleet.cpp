#include "fleet.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <format>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/telemetry.hpp"

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;

constexpr auto kIoTimeout = 1000ms;
constexpr Duration kLookEvery = 1s, kLookOftenEvery = 200ms;
constexpr std::size_t kHistoryMax = 1000;
constexpr std::uint32_t kSeasonsMax = 1000;
const Author kOurselves{kNobody, {}};

std::filesystem::path data_folder(const config::Site& site) { return site.folder / site.storage.folder; }

// 0 when it is gone.
double resident_mib(pid_t process) {
  std::ifstream file(std::format("/proc/{}/statm", process));
  double total = 0.0, resident = 0.0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

// "gain 0.3 (-0.1 to 0.7) over the active one, 10 seasons"; empty where there is no such file.
std::string describe_evaluation(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return {};
  const auto found = nlohmann::json::parse(*text, nullptr, false);
  const auto number = [&](const char* pointer) {
    const nlohmann::json::json_pointer at(pointer);
    return found.is_object() && found.contains(at) && found[at].is_number() ? found[at].get<double>() : std::nan("");
  };
  const double low = number("/gain/mean_interval/0"), high = number("/gain/mean_interval/1");
  if (!std::isfinite(low) || !std::isfinite(high)) return {};
  return std::format("gain {:.4g} a season over the active one (95 % from {:.4g} to {:.4g}, {:g} seasons)",
                     number("/gain/mean"), low, high, number("/gain/seasons"));
}

std::string role_of(const AgentRecord& agent, const Version& version) {
  return "agent." + instance_of(agent.id, version);
}

Result<Traffic> traffic_of(const v1::Traffic& asked) {
  Traffic traffic;
  traffic.evaluation_seasons = asked.evaluation_seasons();
  traffic.shadow_s = asked.shadow_s();
  traffic.shadow_proposals = asked.shadow_proposals();
  traffic.canary_percent.assign(asked.canary_percent().begin(), asked.canary_percent().end());
  traffic.canary_s = asked.canary_s();
  traffic.probation_s = asked.probation_s();
  traffic.hold = asked.hold();
  traffic.latency_max_s = asked.latency_max_s();
  traffic.memory_max_mib = asked.memory_max_mib();
  if (asked.has_objective_drop()) traffic.objective_drop = asked.objective_drop();
  const auto span = [](double seconds) { return seconds >= 0.0 && seconds <= 1e7; };
  if (!(traffic.memory_max_mib > 0.0))
    return fail(Errc::invalid_argument, "the memory of a process is more than 0 MiB");
  if (traffic.objective_drop && !(*traffic.objective_drop >= 0.0))
    return fail(Errc::invalid_argument, "a drop of the reward is at least 0");
  if (!span(traffic.latency_max_s) || !span(traffic.shadow_s) || !span(traffic.canary_s) || !span(traffic.probation_s))
    return fail(Errc::invalid_argument, "spans of time go from 0 to 10000000 s");
  if (traffic.evaluation_seasons > kSeasonsMax)
    return fail(Errc::invalid_argument, std::format("at most {} seasons on the twin", kSeasonsMax));
  if (traffic.canary_percent.size() > 20 ||
      !std::ranges::all_of(traffic.canary_percent, [](double percent) { return percent > 0.0 && percent <= 100.0; }))
    return fail(Errc::invalid_argument, "a canary's steps are at most 20, each above 0 and at most 100 percent");
  return traffic;
}

void fill(v1::Traffic& out, const Traffic& traffic) {
  out.set_evaluation_seasons(traffic.evaluation_seasons);
  out.set_shadow_s(traffic.shadow_s);
  out.set_shadow_proposals(traffic.shadow_proposals);
  out.mutable_canary_percent()->Assign(traffic.canary_percent.begin(), traffic.canary_percent.end());
  out.set_canary_s(traffic.canary_s);
  out.set_probation_s(traffic.probation_s);
  out.set_hold(traffic.hold);
  out.set_latency_max_s(traffic.latency_max_s);
  out.set_memory_max_mib(traffic.memory_max_mib);
  if (traffic.objective_drop) out.set_objective_drop(*traffic.objective_drop);
}

// A file that cannot be read says nothing against it.
bool collects(const std::filesystem::path& site_folder) {
  const auto telemetry = config::load_telemetry(site_folder / config::file_name(config::Kind::telemetry));
  return !telemetry || telemetry->collect.enabled;
}

}  // namespace

Fleet::Fleet(const config::Site& site, const Options& options, const Clock& clock, bus::Client io, Registry registry,
             audit::Recorder& audit)
    : site_(site),
      options_(options),
      collects_(collects(site.folder)),
      clock_(clock),
      registry_(std::move(registry)),
      store_(data_folder(site) / "artifacts"),
      audit_(audit),
      io_(std::move(io)) {}

Result<std::unique_ptr<Fleet>> Fleet::open(const config::Site& site, const Options& options, const Clock& clock,
                                           bus::Client io, audit::Recorder& audit) {
  auto registry = Registry::recover(data_folder(site) / "registry.db", clock);
  if (!registry) return std::unexpected(registry.error());
  std::unique_ptr<Fleet> fleet(new Fleet(site, options, clock, std::move(io), std::move(*registry), audit));
  if (auto begun = fleet->begin(); !begun) return std::unexpected(begun.error());
  return fleet;
}

Result<> Fleet::begin() {
  for (const config::Agent& agent : site_.agents) {
    if (auto known = registry_.introduce(agent.id); !known) return known;
    rollouts_.emplace(agent.id, Rollout(from_seconds(agent.period_s)));
  }
  if (auto loaded = reload(); !loaded) return loaded;
  check_artifacts();
  return {};
}

// After a crash or a disk's fault: nothing half made stays, and what is damaged does not act.
void Fleet::check_artifacts() {
  std::set<std::string> named;
  const auto everybody = registry_.agents();
  if (!everybody) return;
  for (const AgentRecord& agent : *everybody)
    for (const Version& version : agent.versions) named.insert(version.artifact_sha256);
  named.erase("");
  if (!named.empty()) store_.sweep(named);  // a registry that was lost knows of none
  for (const config::Agent& agent : site_.agents) {
    for (const Version& version : std::vector<Version>(find(agent.id)->versions))
      if (runs(version.state) && version.state != VersionState::active) check_artifact(agent.id, version);
    check_active(agent.id);
  }
}

// Who acts in its place may be damaged as well.
void Fleet::check_active(const std::string& agent) {
  while (const Version* active = find(agent)->in_state(VersionState::active))
    if (!check_artifact(agent, Version(*active))) return;
}

// True when it was damaged and does not act any more.
bool Fleet::check_artifact(const std::string& agent, const Version& version) {
  if (version.artifact_sha256.empty()) return false;
  const auto sound = store_.verify(version.artifact_sha256);
  if (sound) return false;
  const auto back = roll_back(*find(agent), version.version);
  tell_damage({.file = store_.path_of(version.artifact_sha256),
               .kept = {},
               .why = sound.error().message,
               .now = back ? std::format("version {} of agent {} is rolled back", version.version, agent)
                           : back.error().message});
  return back && commit(agent, *back, {kNobody, "its artifact is damaged"});
}

// Of the site's agents; others may be in the registry from before.
Result<> Fleet::reload() {
  agents_.clear();
  for (const config::Agent& agent : site_.agents) {
    auto record = registry_.agent(agent.id);
    if (!record) return std::unexpected(record.error());
    agents_.push_back(std::move(*record));
  }
  routes_ = Routes(agents_, wanted(), options_.run_folder.string());
  changed_ = true;
  return {};
}

void Fleet::record(const std::string& action, const std::string& agent, const std::string& version,
                   const Author& author, const std::string& because) const {
  audit::Entry entry{.actor = author.user.empty() ? "unnamed" : author.user,
                     .action = action,
                     .target = agent,
                     .reason = author.reason,
                     .correlation_id = std::string(log::Correlation::current())};
  if (!version.empty()) entry.details.emplace_back("version", version);
  if (!because.empty()) entry.details.emplace_back("because", because);
  audit_.post(std::move(entry));
}

// Which instance answers the calls to an agent from now on. The choice of a call within a canary follows from its
// correlation id (place_of), so this line says where every call went.
void Fleet::record_route(const AgentRecord& agent) const {
  audit::Entry entry{
      .action = "route.change", .target = agent.id, .correlation_id = std::string(log::Correlation::current())};
  const auto add = [&](const char* name, const Version* version) {
    if (version != nullptr) entry.details.emplace_back(name, role_of(agent, *version));
  };
  add("active", agent.in_state(VersionState::active));
  const Version* canary = agent.in_state(VersionState::canary);
  add("canary", canary);
  if (canary != nullptr) entry.details.emplace_back("canary_percent", std::format("{:g}", canary->canary_share()));
  entry.details.emplace_back("epoch", std::to_string(agent.epoch));
  audit_.post(std::move(entry));
}

Result<> Fleet::commit(const std::string& agent, const std::vector<Transition>& transitions, const Author& author) {
  if (transitions.empty()) return {};
  trace::Span span =
      trace::current().sampled ? trace::Span::child("version.change") : trace::Span::root("version.change");
  span.set("rltune.agent", agent).set("rltune.version", transitions.front().version);
  span.set("rltune.to", to_string(transitions.front().to));
  if (auto done = registry_.commit(agent, transitions, author); !done) {
    span.fail(done.error().message);
    log::error("the registry does not take a change", {{"agent", agent}, {"because", done.error().message}});
    return done;
  }
  for (const Transition& transition : transitions) {
    log::info(std::format("version is {}", to_string(transition.to)),
              {{"agent", agent}, {"version", transition.version}, {"because", transition.reason}});
    record(std::format("version.{}", to_string(transition.to)), agent, transition.version, author, transition.reason);
  }
  auto loaded = reload();
  if (const AgentRecord* now = find(agent)) record_route(*now);
  return loaded;
}

const AgentRecord* Fleet::find(const std::string& agent) const noexcept {
  const auto found = std::ranges::find(agents_, agent, &AgentRecord::id);
  return found == agents_.end() ? nullptr : &*found;
}

Deployed Fleet::deployed(const AgentRecord& agent, const Version& version) const {
  return {.instance = instance_of(agent.id, version),
          .artifact = version.artifact_sha256.empty()
                          ? std::filesystem::path()
                          : std::filesystem::absolute(store_.path_of(version.artifact_sha256)),
          .active = version.state == VersionState::active,
          .stopped = !agent.running};
}

// A site that names no plant has no twin to try it on.
bool Fleet::evaluated(const config::Agent& agent, const Version& version) const {
  return version.state == VersionState::validating && version.traffic.evaluation_seasons > 0 && !agent.plant.empty() &&
         !version.artifact_sha256.empty();
}

Evaluation Fleet::evaluation(std::size_t agent, const Version& version) const {
  const Version* active = agents_[agent].in_state(VersionState::active);
  const bool own = active == nullptr || active->artifact_sha256.empty();
  const std::string instance = instance_of(agents_[agent].id, version);
  return {.instance = instance,
          .artifact = std::filesystem::absolute(store_.path_of(version.artifact_sha256)),
          .against = own ? std::filesystem::absolute(site_.folder / site_.agents[agent].policy)
                         : std::filesystem::absolute(store_.path_of(active->artifact_sha256)),
          .result = std::filesystem::absolute(data_folder(site_) / "evaluations" / (instance + ".json")),
          .seasons = version.traffic.evaluation_seasons};
}

// What the evaluation of a version found, from its role and the file that it leaves.
void Fleet::look_at_evaluation(std::size_t agent, const Version& version, const v1::RolesAnswer& roles,
                               Sight& sight) const {
  if (!evaluated(site_.agents[agent], version)) return;
  const Evaluation asked = evaluation(agent, version);
  sight.evaluation = Sight::Evaluation::running;
  for (const v1::RoleState& role : roles.roles()) {
    if (role.name() != "evaluation." + asked.instance || (role.state() != "done" && role.state() != "failed")) continue;
    sight.evaluation = role.state() == "done" ? Sight::Evaluation::passed : Sight::Evaluation::failed;
    sight.evaluated = describe_evaluation(asked.result);
    if (sight.evaluated.empty())
      sight.evaluated = role.state() == "done" ? "it left no result"
                                               : "it could not be judged, " + role.reason() + ": its log says why";
  }
}

std::vector<Planned> Fleet::wanted() const {
  std::vector<Planned> roles{plan_io(options_)};
  for (std::size_t i = 0; i < agents_.size(); ++i)
    for (const Version& version : agents_[i].versions)
      if (runs(version.state))
        std::ranges::move(plan_instance(site_.agents[i], deployed(agents_[i], version), options_),
                          std::back_inserter(roles));
  for (std::size_t i = 0; i < agents_.size(); ++i)
    for (const Version& version : agents_[i].versions)
      if (evaluated(site_.agents[i], version))
        roles.push_back(plan_evaluation(site_.agents[i], evaluation(i, version), options_));
  if (!site_.storage.audit_heads.empty()) roles.push_back(plan_heads(site_, options_));
  if (collects_) roles.push_back(plan_telemetry(options_));
  if (site_.gateway.enabled) roles.push_back(plan_gateway(options_));
  return roles;
}

// ---- io -----------------------------------------------------------------------------------------------

Fleet::InForce Fleet::meant(const AgentRecord& agent) const {
  const Version* active = agent.in_state(VersionState::active);
  return {active == nullptr ? std::string() : role_of(agent, *active), agent.epoch};
}

bool Fleet::in_progress() const noexcept {
  return std::ranges::any_of(agents_, [](const AgentRecord& agent) {
    return agent.candidate() != nullptr || agent.in_state(VersionState::standby) != nullptr;
  });
}

void Fleet::talk_to_io(Duration now) {
  if (!asked_io_.empty()) {
    auto answer = io_.finish();
    if (!answer) return;
    const bool activated = std::exchange(asked_io_, {}) == "io.Activate";
    io_answers_ = answer->has_value() || answer->error().code == Errc::denied;
    if (activated) next_question_ = now;  // io's own word is what counts
    if (!activated && *answer) hear_io(**answer, now);
    if (activated && !*answer)
      log::warning("io does not take the active version", {{"because", answer->error().message}});
  }
  if (activate_one() || now < next_question_) return;
  if (!io_.begin("io.Instances", "io", v1::InstancesRequest().SerializeAsString(), kIoTimeout)) {
    io_answers_ = false;
    return;
  }
  asked_io_ = "io.Instances";
  next_question_ = now + (in_progress() ? kLookOftenEvery : kLookEvery);
}

void Fleet::hear_io(const std::string& bytes, Duration now) {
  v1::InstancesAnswer answer;
  if (!answer.ParseFromString(bytes)) return;
  reports_.clear();
  for (const v1::InstanceReport& report : answer.instances()) {
    reports_[report.instance()] = report;
    if (report.active()) in_force_[report.agent()] = {report.instance(), report.epoch()};
  }
  for (const AgentRecord& agent : std::vector<AgentRecord>(agents_))
    if (const auto there = in_force_.find(agent.id); there != in_force_.end()) put_epoch_right(agent, there->second);
  for (const AgentRecord& agent : agents_)
    for (const Version& version : agent.versions) {
      const auto report = reports_.find(role_of(agent, version));
      if (!runs(version.state) || !agent.running || (report != reports_.end() && report->second.attached()))
        unattached_since_.erase(role_of(agent, version));
      else
        unattached_since_.try_emplace(role_of(agent, version), now);
    }
  news_ = true;
}

// A registry that was put aside, or restored from a backup, knows of fewer switches than io.
void Fleet::put_epoch_right(const AgentRecord& agent, const InForce& there) {
  const InForce ours = meant(agent);
  if (there == ours || there.epoch < ours.epoch) return;
  if (auto raised = registry_.raise_epoch(agent.id, there.epoch + 1); !raised)
    log::error("the registry cannot be brought up to io's", {{"because", raised.error().message}});
  else [[maybe_unused]]
    const auto loaded = reload();
}

// True when io was asked.
bool Fleet::activate_one() {
  for (const AgentRecord& agent : agents_) {
    const InForce ours = meant(agent);
    const auto there = in_force_.find(agent.id);
    if (there == in_force_.end() || there->second == ours || ours.instance.empty()) continue;
    v1::ActivateRequest request;
    request.set_agent(agent.id);
    request.set_instance(ours.instance);
    request.set_epoch(ours.epoch);
    if (!io_.begin("io.Activate", "io", request.SerializeAsString(), kIoTimeout)) return false;
    asked_io_ = "io.Activate";
    in_force_.erase(there);  // until io says so
    return true;
  }
  return false;
}

// ---- rollouts -----------------------------------------------------------------------------------------

std::map<std::string, Sight> Fleet::look(const AgentRecord& agent, const v1::RolesAnswer& roles, Duration now) {
  std::map<std::string, Sight> seen;
  for (const Version& version : agent.versions) {
    if (!runs(version.state)) continue;
    const std::string name = role_of(agent, version);
    Sight& sight = seen[version.version];
    for (const v1::RoleState& role : roles.roles())
      if (role.name() == name) {
        sight.refused = role.state() == "failed";
        sight.restarts = role.restarts();
        sight.reason = role.reason();
        sight.resident_mib = role.pid() > 0 ? resident_mib(role.pid()) : 0.0;
      }
    look_at_evaluation(
        static_cast<std::size_t>(std::ranges::find(agents_, agent.id, &AgentRecord::id) - agents_.begin()), version,
        roles, sight);
    if (const auto since = unattached_since_.find(name); since != unattached_since_.end())
      sight.unattached = now - since->second;
    const auto report = reports_.find(name);
    if (report == reports_.end()) continue;
    sight.attached = report->second.attached();
    sight.validated = report->second.validated();
    sight.proposals = report->second.proposals();
    sight.faults = report->second.faults();
    sight.interventions = report->second.interventions();
    sight.latency = from_seconds(1e-6 * report->second.latency_p50_us());
    sight.reward = {report->second.reward_batches(), report->second.reward_mean(), report->second.reward_squares()};
    sight.quiet = from_seconds(report->second.quiet_s());
  }
  return seen;
}

// Whoever dies may have met a damaged artifact, and is not tried with it on and on. True when the active version
// changed.
bool Fleet::lost_artifact(const AgentRecord& agent, const std::map<std::string, Sight>& seen) {
  const Version* active = agent.in_state(VersionState::active);
  const auto sight = active == nullptr ? seen.end() : seen.find(active->version);
  if (sight == seen.end()) return false;
  const std::uint64_t ends = sight->second.restarts + (sight->second.refused ? 1U : 0U);
  if (std::exchange(ends_[role_of(agent, *active)], ends) >= ends) return false;
  return check_artifact(agent.id, *active);
}

void Fleet::turn(const Supervisor& supervisor, Duration now) {
  talk_to_io(now);
  // Without io nobody can be judged.
  if (!io_answers_ || !std::exchange(news_, false)) return;
  const v1::RolesAnswer roles = supervisor.roles();
  for (const AgentRecord& agent : std::vector<AgentRecord>(agents_)) {
    const auto seen = look(agent, roles, now);
    if (lost_artifact(agent, seen)) continue;
    const auto transitions = rollouts_.at(agent.id).due(agent, seen, now);
    [[maybe_unused]] const auto done = commit(agent.id, transitions, kOurselves);
  }
  activate_one();
}

// ---- the bus ------------------------------------------------------------------------------------------

v1::AgentInfo Fleet::describe(const AgentRecord& agent, const v1::RolesAnswer& roles) const {
  v1::AgentInfo info;
  info.set_id(agent.id);
  info.set_running(agent.running);
  info.set_epoch(agent.epoch);
  if (const Version* active = agent.in_state(VersionState::active)) info.set_active(active->version);
  const auto there = in_force_.find(agent.id);
  info.set_in_force(there != in_force_.end() && there->second == meant(agent));
  for (const Version& version : agent.versions) {
    v1::VersionInfo& out = *info.add_versions();
    out.set_version(version.version);
    out.set_state(to_string(version.state));
    out.set_reason(version.reason);
    out.set_artifact_sha256(version.artifact_sha256);
    out.set_paused(version.paused);
    out.set_canary_percent(version.canary_share());
    out.set_created_unix_ns(version.created.time_since_epoch().count());
    out.set_changed_unix_ns(version.changed.time_since_epoch().count());
    fill(*out.mutable_traffic(), version.traffic);
    for (const v1::RoleState& role : roles.roles())
      if (runs(version.state) && role.name() == role_of(agent, version)) *out.mutable_instance() = role;
  }
  return info;
}

Result<> Fleet::describe(const v1::AgentsRequest& request, const Supervisor& supervisor,
                         v1::AgentsAnswer& answer) const {
  const v1::RolesAnswer roles = supervisor.roles();
  if (request.agent().empty()) {
    for (const AgentRecord& agent : agents_) *answer.add_agents() = describe(agent, roles);
    return {};
  }
  auto agent = registry_.agent(request.agent());
  if (!agent) return std::unexpected(agent.error());
  *answer.add_agents() = describe(*agent, roles);
  if (request.history() == 0) return {};
  const auto history = registry_.history(request.agent(), std::min<std::size_t>(request.history(), kHistoryMax));
  if (!history) return std::unexpected(history.error());
  for (const HistoryEntry& entry : *history) {
    v1::HistoryInfo& out = *answer.add_history();
    out.set_agent(entry.agent);
    out.set_version(entry.version);
    out.set_from(entry.from);
    out.set_to(entry.to);
    out.set_epoch(entry.epoch);
    out.set_unix_ns(entry.time.time_since_epoch().count());
    out.set_user(entry.user);
    out.set_reason(entry.reason);
  }
  return {};
}

// What takes control away from a policy never waits for a key; everything else does.
Result<> Fleet::deploy(const v1::DeployRequest& request) {
  if (auto allowed = registry_.may_record(); !allowed) return allowed;
  auto agent = registry_.agent(request.agent());
  if (!agent) return std::unexpected(agent.error());
  auto traffic = traffic_of(request.traffic());
  if (!traffic) return std::unexpected(traffic.error());
  if (!is_semantic(request.version()))
    return fail(Errc::invalid_argument,
                std::format("'{}' is not a semantic version; want one like 1.2.0", request.version()));
  auto stored = store_.take(request.folder());
  if (!stored) return std::unexpected(stored.error());
  Version version;
  version.version = request.version();
  version.artifact_sha256 = *stored;
  version.reason = "deployed from " + request.folder();
  version.traffic = *traffic;
  if (auto added = registry_.add(request.agent(), version, {request.user(), request.reason()}); !added) return added;
  log::info("version is staged", {{"agent", request.agent()}, {"version", request.version()}, {"artifact", *stored}});
  record("version.staged", request.agent(), request.version(), {request.user(), request.reason()},
         "artifact " + *stored + " from " + request.folder());
  return reload();
}

Result<> Fleet::order(const v1::AgentOrder& order) {
  if (order.verb() != "start" && order.verb() != "stop")
    return fail(Errc::invalid_argument,
                std::format("'{}' is no order to an agent; there are start and stop", order.verb()));
  const bool running = order.verb() == "start";
  if (running)
    if (auto allowed = registry_.may_record(); !allowed) return allowed;
  if (auto set = registry_.set_running(order.agent(), running, {order.user(), order.reason()}); !set) return set;
  log::info(running ? "agent is to run" : "agent is to stand still", {{"agent", order.agent()}});
  record("agent." + order.verb(), order.agent(), {}, {order.user(), order.reason()});
  return reload();
}

Result<> Fleet::order(const v1::VersionOrder& order) {
  const auto agent = registry_.agent(order.agent());
  if (!agent) return std::unexpected(agent.error());
  if (order.verb() == "promote" || order.verb() == "resume")
    if (auto allowed = registry_.may_record(); !allowed) return allowed;
  const Author author{order.user(), order.reason()};
  if (order.verb() == "pause" || order.verb() == "resume") {
    if (auto set = registry_.set_paused(order.agent(), order.version(), order.verb() == "pause", author); !set)
      return set;
    record("version." + order.verb(), order.agent(), order.version(), author);
    return reload();
  }
  if (order.verb() != "promote" && order.verb() != "rollback")
    return fail(
        Errc::invalid_argument,
        std::format("'{}' is no order to a version; there are promote, rollback, pause and resume", order.verb()));
  const auto transitions = order.verb() == "promote" ? promote(*agent, order.version())
                           : order.version().empty() ? roll_back(*agent)
                                                     : roll_back(*agent, order.version());
  if (!transitions) return std::unexpected(transitions.error());
  auto done = commit(order.agent(), *transitions, author);
  if (done) activate_one();
  return done;
}

}  // namespace rltune::coredinator
