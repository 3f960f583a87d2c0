#include "rltune/twin/twin.hpp"

#include "dcs_file.hpp"
#include "opcua_server.hpp"
#include "rltune/base/log.hpp"
#include "state_journal.hpp"
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
                     .event_driven = options.clock == ClockMode::plant,
                     .history_values = options.history_values};
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
  std::optional<StateJournal> journal;
  std::vector<std::uint32_t> journaled_modes;
  std::optional<DcsFile> dcs;
  Duration dcs_at{};
  Duration sensor_period{};
  Duration sensors_at{};
  std::string namespace_uri;

  std::chrono::milliseconds patience() const;
  Result<> resume(const TwinOptions& options);
  void record(Result<> (*what)(State&));
  void record_step();
  void record_modes();
  void ask_dcs();
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
  if (!options.state.empty())
    if (auto resumed = state->resume(options); !resumed) return std::unexpected(resumed.error());
  if (!options.dcs_file.empty()) state->dcs.emplace(options.dcs_file);
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

Result<> Twin::State::resume(const TwinOptions& options) {
  const std::string title = std::format("{} {}", options.simulation.task.plant, format_rfc3339(options.start));
  auto opened = StateJournal::open(options.state, title, core.modes().size(), options.state_sync);
  if (!opened) return std::unexpected(opened.error());
  journal.emplace(std::move(*opened));
  const StateJournal::Contents& kept = journal->contents();
  for (const StepRecord& step : kept.steps) {
    if (!core.done()) core.replay(step.inputs);
    if (core.season_return() != step.season_return)
      return fail(Errc::mismatch, std::format("{} is of another season: weather, seed, parameters or version differ; "
                                              "give another --state or remove it",
                                              options.state.string()));
  }
  std::vector<std::uint32_t> modes = core.modes();
  for (const ModeRecord& mode : kept.modes) modes[mode.output] = mode.mode;
  core.resume(modes);
  journaled_modes = std::move(modes);
  if (!kept.steps.empty())
    log::info("the season goes on", {{"step", std::to_string(core.steps_done())}, {"state", options.state.string()}});
  return {};
}

// A journal that cannot be written any more ends there; the plant goes on.
void Twin::State::record(Result<> (*what)(State&)) {
  if (!journal) return;
  if (const auto recorded = what(*this); !recorded) {
    log::error("the season's state is no longer kept", {{"reason", recorded.error().message}});
    journal.reset();
  }
}

void Twin::State::record_step() {
  record([](State& s) { return s.journal->append_step(s.core.inputs_given(), s.core.season_return()); });
}

void Twin::State::record_modes() {
  record([](State& s) -> Result<> {
    const std::vector<std::uint32_t> modes = s.core.modes();
    for (std::size_t i = 0; i < modes.size(); ++i) {
      if (modes[i] == s.journaled_modes[i]) continue;
      if (auto appended = s.journal->append_mode(i, modes[i]); !appended) return appended;
    }
    s.journaled_modes = modes;
    return {};
  });
}

void Twin::State::ask_dcs() {
  if (!dcs || clock.steady() < dcs_at) return;
  dcs_at = clock.steady() + kIdle;
  const auto settings = dcs->changes();
  if (!settings) return log::warning("the control room's file does not count", {{"reason", settings.error().message}});
  for (const ModeSetting& setting : *settings)
    if (const auto set = core.set_mode(setting.tag, setting.mode); !set) log::warning(set.error().message);
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
    s.ask_dcs();
    s.core.watch(*s.server);
    s.record_modes();
    for (int steps = 0; s.core.step_due() && steps < kStepsAtOnce; ++steps) {
      s.core.step();
      s.record_step();  // before anybody hears of the step
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
