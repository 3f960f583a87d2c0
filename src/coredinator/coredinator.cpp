#include "rltune/coredinator/coredinator.hpp"

#include <unistd.h>

#include "keeper_link.hpp"
#include "plan.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "supervisor.hpp"

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kHealthEvery = 500ms, kHealthEveryWhileStarting = 50ms, kHealthTimeout = 1000ms;
constexpr auto kChildrenEvery = 1s;
constexpr auto kTurn = 100ms, kTurnWhileStarting = 20ms;

// Asks one role for its health, again and again, without waiting for it.
class Probe {
 public:
  Probe(bus::Client client, std::string role) : client_(std::move(client)), role_(std::move(role)) {}

  void turn(Supervisor& supervisor, Duration now) {
    if (asked_) collect(supervisor, now);
    if (asked_ || now < next_ || !supervisor.running(role_)) return;
    asked_ = client_.begin(kind_of(role_) + ".Health", role_, {}, kHealthTimeout).has_value();
    next_ = now + (supervisor.settled() ? kHealthEvery : kHealthEveryWhileStarting);
  }

 private:
  void collect(Supervisor& supervisor, Duration now) {
    const auto answer = client_.finish();
    if (!answer) return;
    asked_ = false;
    v1::HealthAnswer health;
    if (*answer && health.ParseFromString(**answer)) supervisor.answered(role_, health, now);
  }

  bus::Client client_;
  std::string role_;
  Duration next_{};
  bool asked_ = false;
};

class Coredinator {
 public:
  static Result<> run(const Options& options) {
    auto site = config::load_site(options.site);
    if (!site) return std::unexpected(site.error());
    auto keeper = KeeperLink::inherit();
    if (!keeper) return std::unexpected(keeper.error());
    bus::Context context;
    const std::string run_folder = options.run_folder.string();
    auto server = bus::Server::bind(context, bus::call_endpoint(run_folder, "coredinator"));
    if (!server) return std::unexpected(server.error());
    Coredinator coredinator(Supervisor(plan(*site, options)), *keeper, std::move(*server), run_folder);
    if (auto connected = coredinator.connect(context); !connected) return connected;
    coredinator.serve();
    log::info("coredinator runs", {{"site", site->name}, {"roles", std::to_string(coredinator.probes_.size())}});
    coredinator.loop();
    return {};
  }

 private:
  Coredinator(Supervisor supervisor, const KeeperLink& keeper, bus::Server server, std::string run_folder)
      : supervisor_(std::move(supervisor)),
        keeper_(keeper),
        server_(std::move(server)),
        run_folder_(std::move(run_folder)) {}

  Result<> connect(bus::Context& context) {
    for (const Planned& planned : supervisor_.planned()) {
      auto client = bus::Client::connect(context, bus::call_endpoint(run_folder_, planned.spec.name()));
      if (!client) return std::unexpected(client.error());
      probes_.emplace_back(std::move(*client), planned.spec.name());
    }
    return {};
  }

  void serve() {
    server_.handle<v1::RolesRequest, v1::RolesAnswer>(
        "coredinator.Roles", [this](const bus::Call&, const v1::RolesRequest&, v1::RolesAnswer& answer) -> Result<> {
          answer = supervisor_.roles();
          return {};
        });
    server_.handle<v1::HealthRequest, v1::HealthAnswer>(
        "coredinator.Health", [](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
          answer.set_healthy(true);
          answer.set_pid(::getpid());
          return {};
        });
    server_.handle<v1::ShutdownRequest, v1::ShutdownAnswer>(
        "coredinator.Shutdown",
        [this](const bus::Call&, const v1::ShutdownRequest& request, v1::ShutdownAnswer&) -> Result<> {
          keeper_.shut_down(request.reason(), request.failed());
          return {};
        });
    server_.forward([this](const bus::Call& call) -> Result<std::string> {
      auto role = resolve(supervisor_.planned(), call.target);
      if (!role) return role;
      return bus::call_endpoint(run_folder_, *role);
    });
  }

  void loop() {
    while (!interrupted() && keeper_alive_) {
      const Duration now = clock_.steady();
      if (now >= children_asked_ + kChildrenEvery || children_asked_ == Duration::zero()) {
        keeper_.ask_children();
        children_asked_ = now;
      }
      hear_keeper();
      for (Probe& probe : probes_) probe.turn(supervisor_, clock_.steady());
      // Nothing is spawned before the keeper has said what runs already.
      if (adopted_)
        for (const Action& action : supervisor_.due(clock_.steady())) carry_out(action);
      report_changes();
      server_.serve(supervisor_.settled() ? milliseconds(kTurn) : milliseconds(kTurnWhileStarting),
                    keeper_.descriptor());
    }
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
        return;
      case Action::Kind::kill:
        log::warning("killing a role", {{"of", action.role}, {"because", action.reason}});
        return keeper_.stop(action.role, 0.0);
      case Action::Kind::give_up:
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

  Supervisor supervisor_;
  KeeperLink keeper_;
  bus::Server server_;
  std::string run_folder_;
  std::vector<Probe> probes_;
  std::map<std::string, std::string> reported_;
  WallClock clock_;
  Duration children_asked_{};
  bool adopted_ = false;
  bool keeper_alive_ = true;
};

}  // namespace

Result<> run(const Options& options) { return Coredinator::run(options); }

}  // namespace rltune::coredinator
