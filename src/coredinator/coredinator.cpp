#include "rltune/coredinator/coredinator.hpp"

#include <unistd.h>

#include <format>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "audit_desk.hpp"
#include "backup_desk.hpp"
#include "backup_list.hpp"
#include "certificates.hpp"
#include "config_calls.hpp"
#include "fleet.hpp"
#include "keeper_link.hpp"
#include "plan.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/version.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/followed.hpp"
#include "rltune/library/plant_desk.hpp"
#include "rltune/library/policy_desk.hpp"
#include "rltune/library/run_desk.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/reading/reading_thread.hpp"
#include "rltune/replay/replay_service.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/vault/vault.hpp"
#include "supervisor.hpp"
#include "takeover.hpp"

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kHealthEvery = 500ms, kHealthEveryWhileStarting = 50ms, kHealthTimeout = 1000ms;
constexpr auto kChildrenEvery = 1s;
constexpr auto kDamageEvery = 10s, kCertificatesEvery = 600s;
constexpr double kStopGrace = 5.0;  // seconds
constexpr auto kReloadTimeout = 2000ms, kReloadAgain = 200ms;
constexpr auto kLeaveAfter = 300ms;  // what asked for it gets its answer first
constexpr auto kTurn = 100ms, kTurnWhileStarting = 20ms;

// Asks one role for its health, again and again, without waiting for it. One that is there and does not answer opens
// the circuit to it: whoever calls it is told at once, until it answers again.
class Probe {
 public:
  Probe(bus::Client client, std::string role, metrics::Registry& registry)
      : client_(std::move(client)), role_(std::move(role)), circuit_(registry, role_) {}

  using Answers = std::map<std::string, v1::HealthAnswer>;

  void turn(Supervisor& supervisor, Answers& answers, Duration now) {
    if (asked_) collect(supervisor, answers, now);
    if (asked_ || now < next_ || !supervisor.running(role_)) return;
    asked_ = client_.begin(kind_of(role_) + ".Health", role_, {}, kHealthTimeout).has_value();
    next_ = now + (supervisor.settled() ? kHealthEvery : kHealthEveryWhileStarting);
  }
  bool silent() const noexcept { return breaker_.state() != Breaker::State::closed; }
  void show() noexcept { circuit_.show(breaker_); }

 private:
  void collect(Supervisor& supervisor, Answers& answers, Duration now) {
    const auto answer = client_.finish();
    if (!answer) return;
    asked_ = false;
    // Who has died is gone from the bus as well: calls for it fail by themselves.
    if (!*answer && answer->error().code == Errc::timeout) breaker_.failed(now);
    v1::HealthAnswer health;
    if (!*answer || !health.ParseFromString(**answer)) return;
    breaker_.succeeded();
    supervisor.answered(role_, health, now);
    answers[role_] = health;
  }

  bus::Client client_;
  std::string role_;
  Breaker breaker_{{.failures_max = 2, .wait_first = kHealthEvery, .wait_max = kHealthEvery}};
  metrics::Circuit circuit_;
  Duration next_{};
  bool asked_ = false;
};

// Every policy that the site has: its own, deployed ones, and weights that it learnt.
replay::ReplaySources replay_sources(const config::Site& site, const std::filesystem::path& data) {
  replay::ReplaySources sources{
      .decisions = data / "decisions", .weights = data / "policies", .deployed = data / "artifacts", .policies = {}};
  for (const config::Agent& agent : site.agents) sources.policies.push_back(site.folder / agent.policy);
  return sources;
}

library::PolicySources policy_sources(const config::Site& site, const std::filesystem::path& data) {
  library::PolicySources sources{
      .site = site.folder, .policies = site.folder / "policies", .deployed = data / "artifacts", .agents = {}};
  for (const config::Agent& agent : site.agents) sources.agents[agent.id] = site.folder / agent.policy;
  return sources;
}

class Coredinator {
 public:
  static Result<> run(const Options& options) {
    const WallClock clock;
    auto takeover = Takeover::open(std::filesystem::absolute(options.site).parent_path(), clock);
    if (!takeover) return std::unexpected(takeover.error());
    auto done = run_with(options, *takeover);
    if (done || !takeover->under_way() || takeover->goes_back()) return done;
    if (auto back = takeover->go_back("coredinator: " + done.error().message); !back) return back;
    return run_with(options, *takeover);
  }

 private:
  static Result<> run_with(const Options& options, Takeover& takeover) {
    auto text = config::load_text(options.site);
    if (!text) return std::unexpected(text.error());
    auto site = config::parse_site(*text, options.site);
    if (!site) return std::unexpected(site.error());
    site->folder = std::filesystem::absolute(options.site).parent_path();
    auto keeper = KeeperLink::inherit();
    if (!keeper) return std::unexpected(keeper.error());
    const std::string run_folder = options.run_folder.string();
    auto server = bus::Server::bind(bus::call_endpoint(run_folder, "coredinator"));
    if (!server) return std::unexpected(server.error());
    auto io = bus::Client::connect(bus::call_endpoint(run_folder, "io"));
    if (!io) return std::unexpected(io.error());
    auto reload = bus::Client::connect(bus::call_endpoint(run_folder, "io"));
    if (!reload) return std::unexpected(reload.error());
    const WallClock clock;
    const std::filesystem::path data = site->folder / site->storage.folder, audit_folder = data / "audit";
    if (auto told = vault::declare(data, {site->storage.encrypted, site->key_file()}); !told)
      return std::unexpected(told.error());
    audit::Recorder audit({.folder = audit_folder,
                           .role = "coredinator",
                           .keeping = {.age = config::kept_for(site->folder, &config::Retention::audit_days)},
                           .keeps_for_others = true});
    auto fleet = Fleet::open(*site, options, clock, std::move(*io), audit);
    if (!fleet) return std::unexpected(fleet.error());
    Coredinator coredinator(std::move(*fleet), *keeper, std::move(*server), run_folder, audit, takeover, site->folder);
    coredinator.backups_.emplace(options, audit, coredinator.clock_);
    coredinator.site_file_ = options.site;
    coredinator.running_ = std::move(*text);
    coredinator.reload_.emplace(std::move(*reload));
    coredinator.site_name_ = site->name;
    coredinator.data_ = data;
    coredinator.config_calls_.emplace(
        ConfigCalls::Parts{
            .takeover = takeover,
            .supervisor = coredinator.supervisor_,
            .audit = audit,
            .running = coredinator.running_,
            .site_folder = site->folder,
            .proposals_file = data / "proposals.json",
            .begun = [&coredinator] { coredinator.leave_at_ = coredinator.clock_.steady() + kLeaveAfter; }},
        coredinator.clock_);
    const tracing::SiteTelemetry telemetry(
        {.folder = site->folder, .run_folder = options.run_folder, .site = site->name, .role = "coredinator"},
        coredinator.operations_.registry);
    if (site->operations.endpoints) coredinator.operations_.open(static_cast<std::uint16_t>(site->operations.port));
    AuditDesk audit_desk(audit_folder);
    replay::ReplayService replays(replay_sources(*site, data));
    library::PolicyDesk policies(policy_sources(*site, data));
    const WallClock reading_clock;
    BackupList backups(site->folder, reading_clock);
    library::RunDesk runs({site->folder / "runs", site->folder / "policies"});
    const auto reading = reading::ReadingThread::start(run_folder, "coredinator", [&](bus::Server& reader) {
      audit_desk.add_to(reader);
      replays.add_to(reader);
      library::add_plant_desk(reader);
      policies.add_to(reader);
      runs.add_to(reader);
      backups.add_to(reader);
    });
    if (!reading) return std::unexpected(reading.error());
    coredinator.serve();
    log::info("coredinator runs", {{"site", site->name}, {"agents", std::to_string(site->agents.size())}});
    return coredinator.loop();
  }

  Coredinator(std::unique_ptr<Fleet> fleet, const KeeperLink& keeper, bus::Server server, std::string run_folder,
              audit::Recorder& audit, Takeover& takeover, const std::filesystem::path& site_folder)
      : fleet_(std::move(fleet)),
        supervisor_(std::vector<Planned>{}),
        keeper_(keeper),
        server_(std::move(server)),
        run_folder_(std::move(run_folder)),
        audit_(audit),
        takeover_(takeover),
        telemetry_(site_folder),
        retention_(site_folder) {}

  // Brings roles and probes to what the fleet wants.
  Result<> follow() {
    const bool fleet_changed = fleet_->take_change();
    if (backups_->take_change() || fleet_changed) {
      std::vector<Planned> wanted = fleet_->wanted();
      if (backups_->wanted()) wanted.push_back(*backups_->wanted());
      supervisor_.want(std::move(wanted), clock_.steady());
    }
    std::set<std::string> names;
    for (const Planned& planned : supervisor_.planned()) {
      const std::string& name = planned.spec.name();
      if (planned.once || planned.mute) continue;  // it answers nothing
      names.insert(name);
      if (probes_.contains(name)) continue;
      auto client = bus::Client::connect(bus::call_endpoint(run_folder_, name));
      if (!client) return std::unexpected(client.error());
      probes_.emplace(name, Probe(std::move(*client), name, operations_.registry));
    }
    if (names.size() == probes_.size()) return {};
    std::erase_if(probes_, [&](const auto& probe) {
      if (names.contains(probe.first)) return false;
      server_.forget(bus::call_endpoint(run_folder_, probe.first));
      reported_.erase(probe.first);
      return true;
    });
    return {};
  }

  template <typename Order>
  void take(const std::string& method, Result<> (Fleet::*order)(const Order&)) {
    server_.handle<Order, v1::AgentInfo>(
        method, [this, order](const bus::Call&, const Order& request, v1::AgentInfo& answer) -> Result<> {
          if (auto done = (fleet_.get()->*order)(request); !done) return done;
          if (const AgentRecord* agent = fleet_->find(request.agent()))
            answer = fleet_->describe(*agent, supervisor_.roles());
          return {};
        });
  }

  void serve() {
    server_.handle<v1::RolesRequest, v1::RolesAnswer>(
        "coredinator.Roles", [this](const bus::Call&, const v1::RolesRequest&, v1::RolesAnswer& answer) -> Result<> {
          answer = supervisor_.roles();
          for (v1::RoleState& role : *answer.mutable_roles())
            if (const auto known = answers_.find(role.name()); role.pid() != 0 && known != answers_.end()) {
              role.set_endpoint(known->second.endpoint());
              *role.mutable_circuits() = known->second.circuits();
            }
          metrics::tell_circuits(operations_.registry, answer);
          return {};
        });
    server_.handle<v1::HealthRequest, v1::HealthAnswer>(
        "coredinator.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
          answer.set_healthy(true);
          answer.set_pid(::getpid());
          answer.set_endpoint(operations_.address());
          answer.set_version(std::string(version()));
          return {};
        });
    bus::serve_log_level(server_, "coredinator");
    server_.handle<v1::ShutdownRequest, v1::ShutdownAnswer>(
        "coredinator.Shutdown",
        [this](const bus::Call& call, const v1::ShutdownRequest& request, v1::ShutdownAnswer&) -> Result<> {
          audit_.post({.action = request.restart() ? "site.restart" : "site.shutdown",
                       .reason = request.reason(),
                       .correlation_id = std::string(call.correlation_id)});
          keeper_.shut_down(request);
          return {};
        });
    server_.handle<v1::AgentsRequest, v1::AgentsAnswer>(
        "coredinator.Agents", [this](const bus::Call&, const v1::AgentsRequest& request, v1::AgentsAnswer& answer) {
          return fleet_->describe(request, supervisor_, answer);
        });
    config_calls_->serve(server_);
    backups_->serve(server_);
    server_.handle<v1::CertificatesRequest, v1::CertificatesAnswer>(
        "coredinator.Certificates",
        [this](const bus::Call&, const v1::CertificatesRequest&, v1::CertificatesAnswer& answer) -> Result<> {
          answer = certificates();
          return {};
        });
    take<v1::DeployRequest>("coredinator.Deploy", &Fleet::deploy);
    server_.handle<v1::AgentOrder, v1::AgentInfo>(
        "coredinator.OrderAgent",
        [this](const bus::Call&, const v1::AgentOrder& request, v1::AgentInfo& answer) -> Result<> {
          if (auto done = fleet_->order(request); !done) return done;
          if (request.verb() == "start") supervisor_.try_again(request.agent());
          if (const AgentRecord* agent = fleet_->find(request.agent()))
            answer = fleet_->describe(*agent, supervisor_.roles());
          return {};
        });
    take<v1::VersionOrder>("coredinator.OrderVersion", &Fleet::order);
    server_.forward([this](const bus::Call& call) -> Result<std::string> {
      auto endpoint = fleet_->route(call);
      if (silent_.empty() || !endpoint) return endpoint;
      const auto silent = silent_.find(*endpoint);
      if (silent == silent_.end()) return endpoint;
      return fail(Errc::disconnected,
                  silent->second + " does not answer now; it is asked on and on, and restarted if it stays silent");
    });
  }

  void note_silent() {
    silent_.clear();
    for (const auto& [name, probe] : probes_)
      if (probe.silent()) silent_.emplace(bus::call_endpoint(run_folder_, name), name);
  }

  Result<> loop() {
    while (!interrupted() && keeper_alive_ && !leaving()) {
      const Duration now = clock_.steady();
      if (now >= children_asked_ + kChildrenEvery || children_asked_ == Duration::zero()) {
        keeper_.ask_children();
        children_asked_ = now;
      }
      if (auto followed = follow(); !followed) return followed;
      hear_keeper();
      for (auto& [name, probe] : probes_) probe.turn(supervisor_, answers_, clock_.steady());
      note_silent();
      fleet_->turn(supervisor_, clock_.steady());
      if (backups_->wanted()) backups_->turn(supervisor_.roles());
      if (auto followed = follow(); !followed) return followed;
      if (adopted_) take_over();
      // Nothing is spawned before the keeper has said what runs already.
      if (adopted_)
        for (const Action& action : supervisor_.due(clock_.steady())) carry_out(action);
      report_changes();
      report_health();
      serve_a_while(supervisor_.settled() ? kTurn : kTurnWhileStarting);
    }
    return {};
  }

  // Calls are passed on without a turn of everything else between two of them. The keeper's word ends it, and an order
  // that io has to confirm shortens it.
  void serve_a_while(Duration most) {
    const Duration begin = clock_.steady();
    while (true) {
      const Duration span = fleet_->waits_for_io() ? std::min<Duration>(most, kTurnWhileStarting) : most;
      const Duration left = begin + span - clock_.steady();
      if (left <= Duration::zero() || server_.serve(std::chrono::ceil<milliseconds>(left), keeper_.descriptor()) == 0)
        return;
    }
  }

  // The keeper starts us again, with the site's file as it is then.
  bool leaving() const { return takeover_.wants_to_leave() && clock_.steady() >= leave_at_; }

  void take_over() {
    if (!takeover_.under_way()) return;
    const bool back = takeover_.goes_back();
    takeover_.turn(supervisor_, clock_.steady());
    if (back != takeover_.goes_back()) telling_ = false;  // what io answers now was asked about other files
    tell_io();
    if (takeover_.under_way()) return;
    if (auto text = config::load_text(site_file_)) running_ = std::move(*text);
    const v1::ConfigAnswer ended = takeover_.state();
    audit_.post({.action = "config." + ended.state(), .target = ended.version(), .reason = ended.reason()});
  }

  void tell_io() {
    if (telling_) {
      const auto answer = reload_->finish();
      if (!answer) return;
      telling_ = false;
      takeover_.told(*answer ? Result<>() : std::unexpected(answer->error()));
    }
    const Duration now = clock_.steady();
    if (!takeover_.wants_to_tell_io() || now < tell_at_) return;
    telling_ = reload_->begin("io.Reload", "io", {}, kReloadTimeout).has_value();
    tell_at_ = now + kReloadAgain;
  }

  void hear_keeper() {
    while (true) {
      const auto notice = keeper_.receive();
      if (!notice) {
        log::critical(notice.error().message);
        keeper_alive_ = false;
        return;
      }
      if (!*notice) return;
      hear(**notice);
    }
  }

  void hear(const v1::KeeperNotice& notice) {
    const Duration now = clock_.steady();
    switch (notice.notice_case()) {
      case v1::KeeperNotice::kStarted:
        return supervisor_.started(notice.started(), now);
      case v1::KeeperNotice::kExited:
        return supervisor_.exited(notice.exited(), now);
      case v1::KeeperNotice::kRefused:
        return supervisor_.refused(notice.refused(), now);
      case v1::KeeperNotice::kStopping:
        return supervisor_.stopping();
      case v1::KeeperNotice::kChildren:
        adopted_ = true;
        logs_ = notice.children().logs();
        return supervisor_.adopt(notice.children(), now);
      case v1::KeeperNotice::NOTICE_NOT_SET:
        return;
    }
  }

  void carry_out(const Action& action) {
    switch (action.kind) {
      case Action::Kind::spawn:
        for (const Planned& planned : supervisor_.planned())
          if (planned.spec.name() == action.role) keeper_.spawn(planned.spec);
        // Which process answers for a role from now on: what calls are passed on by.
        return audit_.post({.action = "role.spawn", .target = action.role, .reason = action.reason});
      case Action::Kind::stop:
        log::info("stopping a role", {{"of", action.role}, {"because", action.reason}});
        return keeper_.stop(action.role, kStopGrace);
      case Action::Kind::kill:
        audit_.post({.action = "role.kill", .target = action.role, .reason = action.reason});
        log::warning("killing a role", {{"of", action.role}, {"because", action.reason}});
        return keeper_.stop(action.role, 0.0);
      case Action::Kind::give_up:
        audit_.post({.action = "site.give_up", .target = action.role, .reason = action.reason});
        return keeper_.shut_down(action.reason, true);
    }
  }

  void report_changes() {
    const v1::RolesAnswer roles = supervisor_.roles();
    for (const v1::RoleState& role : roles.roles()) {
      std::string& known = reported_[role.name()];
      if (known == role.state()) continue;
      known = role.state();
      log::info("role is " + role.state(), {{"of", role.name()},
                                            {"process", std::to_string(role.pid())},
                                            {"restarts", std::to_string(role.restarts())},
                                            {"reason", role.reason()}});
    }
  }

  // What Prometheus, a health check and systemd see, once a second.
  void report_health() {
    const Duration now = clock_.steady();
    if (now - health_reported_ < 1s) return;
    health_reported_ = now;
    std::vector<metrics::Check> checks;
    int well = 0;
    const v1::RolesAnswer roles = supervisor_.roles();
    for (const v1::RoleState& role : roles.roles()) {
      const bool healthy = role.state() == "healthy" || role.state() == "running" || role.state() == "done";
      well += healthy ? 1 : 0;
      count(role, healthy);
      checks.push_back({role.name(), healthy,
                        healthy || role.reason().empty() ? role.state() : role.state() + ": " + role.reason()});
    }
    for (auto& [name, probe] : probes_) probe.show();
    look_for_damage(now);
    look_at_certificates(now);
    checks.push_back({"files", true, damaged_});
    checks.push_back(check_logs());
    operations_.health.report(checks);
    write_targets();
    telemetry_.turn();
    retention_.turn();
    keeper_.settle(telemetry_.value(), retention_.value());
    keeper_.tell_status(supervisor_.settled(), std::format("{} of {} roles healthy", well, roles.roles_size()));
  }

  // Whoever put it aside: a person has to know until it is moved away.
  v1::CertificatesAnswer certificates() const {
    auto site = config::parse_site(running_, site_file_);
    if (!site) return {};  // the roles run with it: it was good
    site->folder = std::filesystem::absolute(site_file_).parent_path();
    return list_certificates(*site, telemetry_.value());
  }

  void look_at_certificates(Duration now) {
    if (certificates_looked_ != Duration::zero() && now - certificates_looked_ < kCertificatesEvery) return;
    certificates_looked_ = now;
    show_certificates(certificates(), operations_.registry, clock_.now());
  }

  void look_for_damage(Duration now) {
    if (damaged_looked_ != Duration::zero() && now - damaged_looked_ < kDamageEvery) return;
    damaged_looked_ = now;
    const auto kept = put_aside_in(data_);
    damaged_ = kept.empty() ? ""
                            : std::format("{} damaged {} aside, the last one {}", kept.size(),
                                          kept.size() == 1 ? "file lies" : "files lie", kept.back().string());
    operations_.registry.gauge("rltune_data_health_damaged_files", "Damaged files that lie aside until they are moved")
        .set(static_cast<double>(kept.size()));
  }

  // The keeper's files: what it removed, and whether their disk runs short.
  metrics::Check check_logs() {
    metrics::Registry& registry = operations_.registry;
    registry.gauge("rltune_role_log_files_bytes", "Size of all log files of the roles")
        .set(static_cast<double>(logs_.bytes()));
    registry.gauge("rltune_role_log_disk_free_bytes", "Free on the disk that holds the log files")
        .set(static_cast<double>(logs_.free_bytes()));
    registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "logs"}})
        .follow(static_cast<double>(logs_.removed_files()));
    registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "audit"}})
        .follow(static_cast<double>(audit_.status().removed));
    const bool shortage = logs_.free_bytes() < logs_.free_bytes_min();
    return {"disk", !shortage,
            std::format("{:.2f} GB free{}", static_cast<double>(logs_.free_bytes()) / 1e9,
                        shortage ? ": the oldest logs go" : "")};
  }

  void count(const v1::RoleState& role, bool healthy) {
    const metrics::Labels of{{"of", role.name()}};
    operations_.registry.gauge("rltune_agent_health_role_healthy", "1 while a role answers that it is healthy", of)
        .set(healthy ? 1.0 : 0.0);
    operations_.registry.counter("rltune_agent_health_role_restarts_total", "Times a role was started again", of)
        .follow(static_cast<double>(role.restarts()));
  }

  // Where Prometheus finds every role, whatever ports they took: its file_sd_configs reads this.
  void write_targets() {
    if (operations_.address().empty()) return;
    nlohmann::ordered_json targets = nlohmann::ordered_json::array();
    const auto add = [&](const std::string& role, const std::string& address) {
      if (!address.empty())
        targets.push_back({{"targets", {address}}, {"labels", {{"site", site_name_}, {"role", role}}}});
    };
    add("coredinator", operations_.address());
    for (const auto& [role, answer] : answers_) add(role, answer.endpoint());
    const std::string text = targets.dump(2) + "\n";
    if (text == targets_) return;
    if (auto written = write_file(std::filesystem::path(run_folder_) / "targets.json", text); !written)
      return log::warning("Prometheus' targets cannot be written", {{"reason", written.error().message}});
    targets_ = text;
  }

  std::unique_ptr<Fleet> fleet_;
  Supervisor supervisor_;
  KeeperLink keeper_;
  bus::Server server_;
  std::string run_folder_;
  audit::Recorder& audit_;
  Takeover& takeover_;
  std::filesystem::path site_file_;
  std::string running_;  // the site's file, as the roles hold it
  std::optional<bus::Client> reload_;
  config::Followed<config::Telemetry> telemetry_;
  config::Followed<config::Retention> retention_;
  v1::LogFigures logs_;
  bool telling_ = false;  // io was asked to read the site's file again
  Duration tell_at_{}, leave_at_{};
  std::optional<ConfigCalls> config_calls_;
  std::optional<BackupDesk> backups_;
  std::map<std::string, Probe> probes_;  // by role
  std::map<std::string, std::string> reported_;
  WallClock clock_;
  metrics::Operations operations_{"coredinator", clock_};
  Probe::Answers answers_;                     // by role, as each last said
  std::map<std::string, std::string> silent_;  // by endpoint: the roles to which the circuit is open
  std::string site_name_, targets_;
  std::filesystem::path data_;
  std::string damaged_;  // what was put aside and nobody has looked at
  Duration damaged_looked_{}, certificates_looked_{};
  Duration health_reported_{};
  Duration children_asked_{};
  bool adopted_ = false;
  bool keeper_alive_ = true;
};

}  // namespace

Result<> run(const Options& options) { return Coredinator::run(options); }

}  // namespace rltune::coredinator
