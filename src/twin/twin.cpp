#include "rltune/twin/twin.hpp"

#include "opcua_server.hpp"
#include "rltune/base/log.hpp"
#include "twin_core.hpp"

namespace rltune::twin {
namespace {

constexpr std::chrono::milliseconds kIdle{50};  // longest sleep: how soon an orderly stop is noticed
constexpr int kStepsAtOnce = 100;               // when the machine was stopped and the wall clock ran on

ServerOptions server_options(const TwinOptions& options) {
  ServerOptions made{.plant = options.simulation.task.plant,
                     .namespace_uri = "urn:rltune:twin:" + options.simulation.task.plant,
                     .listen = options.listen,
                     .port = options.port,
                     .users = {{options.host.user, options.host.password, Role::host}},
                     .allow_none = options.allow_none,
                     .event_driven = options.clock == ClockMode::plant};
  for (const Login& login : options.operators) made.users.push_back({login.user, login.password, Role::operators});
  return made;
}

}  // namespace

struct Twin::State {
  State(std::unique_ptr<env::Simulation> plant, const CoreOptions& options, const Clock& wall, plant::OpcuaPki keys)
      : clock(wall), core(std::move(plant), options, wall), pki(std::move(keys)) {}

  const Clock& clock;
  TwinCore core;
  plant::OpcuaPki pki;
  std::unique_ptr<OpcuaServer> server;
  Duration sensor_period{};
  Duration sensors_at{};
  std::string namespace_uri;

  std::chrono::milliseconds patience() const;
  void show_sensors();
};

Result<std::unique_ptr<Twin>> Twin::start(const TwinOptions& options, const Clock& clock) {
  auto simulation = env::Simulation::make(options.simulation);
  if (!simulation) return std::unexpected(simulation.error());
  (*simulation)->reset(options.seed);
  auto pki = plant::OpcuaPki::open(options.pki);
  if (!pki) return std::unexpected(pki.error());
  for (const auto& certificate : options.trust)
    if (const auto trusted = pki->trust(certificate); !trusted) return std::unexpected(trusted.error());

  const CoreOptions core{.clock = options.clock,
                         .speed = options.speed,
                         .start = options.start,
                         .shed_after = options.shed_after,
                         .weather = options.simulation.task.schedule == nullptr,
                         .test_faults = options.test_faults};
  auto state = std::make_unique<State>(std::move(*simulation), core, clock, std::move(*pki));
  state->sensor_period = options.sensor_period;
  const ServerOptions served = server_options(options);
  state->namespace_uri = served.namespace_uri;
  auto server = OpcuaServer::start(served, state->pki, state->core);
  if (!server) return std::unexpected(server.error());
  state->server = std::move(*server);
  state->core.publish(*state->server);
  return std::unique_ptr<Twin>(new Twin(std::move(state)));
}

Twin::Twin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Twin::~Twin() = default;

std::chrono::milliseconds Twin::State::patience() const {
  Duration wait = std::min<Duration>(core.until_due(), kIdle);
  if (sensor_period > Duration::zero()) wait = std::min(wait, std::max(Duration::zero(), sensors_at - clock.steady()));
  return std::chrono::ceil<std::chrono::milliseconds>(wait);
}

void Twin::State::show_sensors() {
  if (sensor_period <= Duration::zero() || clock.steady() < sensors_at) return;
  sensors_at = clock.steady() + sensor_period;
  core.publish_sensors(*server);
}

Result<> Twin::run(const std::function<bool()>& stop) {
  State& s = *state_;
  while (!stop()) {
    s.server->iterate(s.patience());
    s.core.watch(*s.server);
    for (int steps = 0; s.core.step_due() && steps < kStepsAtOnce; ++steps) {
      s.core.step();
      s.core.publish(*s.server);
    }
    s.show_sensors();
  }
  return {};
}

const std::string& Twin::url() const noexcept { return state_->server->url(); }
const std::string& Twin::namespace_uri() const noexcept { return state_->namespace_uri; }
std::filesystem::path Twin::certificate() const { return state_->pki.folder() / "own" / "cert.der"; }
std::span<const TagSpec> Twin::tags() const noexcept { return state_->core.tags(); }
std::uint32_t Twin::steps_done() const noexcept { return state_->core.steps_done(); }
double Twin::sample_period_s() const noexcept { return state_->core.simulation().plant().sample_period_s; }

}  // namespace rltune::twin
