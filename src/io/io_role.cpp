#include "rltune/io/io_role.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <format>
#include <sstream>
#include <thread>

#include "loop_metrics.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock_watch.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/change.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/followed.hpp"
#include "rltune/io/control_loop.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/plant/make_link.hpp"
#include "rltune/reading/decisions.hpp"
#include "rltune/reading/history.hpp"
#include "rltune/reading/reading_thread.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/config.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "rltune/vault/vault.hpp"

namespace rltune::io {
namespace {

constexpr auto kTick = std::chrono::milliseconds(10);
constexpr std::size_t kSamplesAtOnce = 4096;
constexpr Duration kWatchEvery = std::chrono::seconds(1);
constexpr Duration kStepRemembered = std::chrono::minutes(10);  // by /healthcheck

class BusEvents final : public EventSink {
 public:
  explicit BusEvents(bus::Publisher& publisher) : publisher_(publisher) {}
  void samples(const v1::SampleBatch& batch) noexcept override { publisher_.publish("samples", batch); }
  void decision(const v1::DecisionEvent& event) noexcept override { publisher_.publish("decisions", event); }

 private:
  bus::Publisher& publisher_;
};

std::vector<plant::TagBinding> bindings_of(const config::Site& site) {
  std::vector<plant::TagBinding> bindings;
  for (const config::Tag& tag : site.tags) {
    const bool writable = tag.role == config::TagRole::setpoint || tag.role == config::TagRole::heartbeat ||
                          (tag.role == config::TagRole::clock && tag.name == site.plant_clock.advance);
    bindings.push_back(
        {.name = tag.name, .node = tag.node, .unit = tag.unit, .writable = writable, .elements = tag.elements});
  }
  return bindings;
}

// The mode outlives a crash of io: a person who took the plant in hand keeps it. It is kept twice, for when the disk
// damages one of the two.
std::array<std::filesystem::path, 2> mode_files(const config::Site& site) {
  const std::filesystem::path data = site.folder / site.storage.folder;
  return {data / "mode", data / "mode.copy"};
}

Result<> keep_mode(const config::Site& site, const std::string& mode) {
  for (const std::filesystem::path& file : mode_files(site))
    if (auto written = write_file(file, mode); !written) return written;
  return {};
}

bool take_mode(ControlLoop& loop, const std::string& mode) {
  v1::ModeRequest request;
  request.set_mode(mode);
  v1::ModeAnswer answer;
  return !mode.empty() && loop.set_mode(request, answer);
}

void restore_mode(ControlLoop& loop, const config::Site& site) {
  bool damaged = false;
  for (const std::filesystem::path& file : mode_files(site)) {
    const auto kept = read_file(file);
    if (!kept) continue;
    if (take_mode(loop, *kept)) return;
    damaged = true;
    [[maybe_unused]] const auto aside = put_aside(
        file, "it names no mode", "the mode that its copy names; without a copy, manual until a person says otherwise");
  }
  // Somebody may have the plant in hand.
  const std::string mode = damaged ? guard::to_string(guard::Mode::manual) : site.guard.mode;
  if (!take_mode(loop, mode)) log::error("the mode cannot be taken", {{"mode", mode}});
}

// As the mode does: an io that was killed goes on with the instance that it was told last, before coredinator tells it
// again. One line an agent: its id, the instance, the epoch.
std::filesystem::path active_file(const config::Site& site) {
  return site.folder / site.storage.folder / "active-instances";
}

void restore_active(ControlLoop& loop, const config::Site& site) {
  std::istringstream lines(read_file(active_file(site)).value_or(""));
  v1::ActivateRequest request;
  std::uint64_t epoch = 0;
  while (lines >> *request.mutable_agent() >> *request.mutable_instance() >> epoch) {
    request.set_epoch(epoch);
    v1::ActivateAnswer answer;
    // An agent that the site no longer has needs nothing.
    [[maybe_unused]] const auto done = loop.activate(request, answer);
  }
}

Result<> keep_active(ControlLoop& loop, const config::Site& site) {
  v1::InstancesAnswer all;
  if (auto done = loop.instances({}, all); !done) return done;
  std::string text;
  for (const v1::InstanceReport& report : all.instances())
    if (report.active()) text += std::format("{} {} {}\n", report.agent(), report.instance(), report.epoch());
  return write_file(active_file(site), text);
}

Result<config::Site> site_of(const std::string& text, const std::filesystem::path& file) {
  auto site = config::parse_site(text, file);
  if (site) site->folder = std::filesystem::absolute(file).parent_path();
  return site;
}

// Everything the role owns, in the order in which it must be built and go away.
class Role {
 public:
  static Result<std::unique_ptr<Role>> create(const IoOptions& options);
  Result<> run();

 private:
  // Opening a link may take two of its calls, and the loop stands still for them.
  Role(config::Site site, const std::filesystem::path& run_folder)
      : site_(std::move(site)),
        operations_("io", clock_, std::chrono::seconds(5) + 2 * from_seconds(site_.link.call_timeout_s)),
        telemetry_({.folder = site_.folder, .run_folder = run_folder, .site = site_.name, .role = "io"},
                   operations_.registry),
        metrics_(operations_.registry, site_),
        plant_({.failures_max = 1,
                .wait_first = from_seconds(site_.link.reconnect_min_s),
                .wait_max = from_seconds(site_.link.reconnect_max_s),
                .seed = static_cast<std::uint64_t>(::getpid())}),
        circuit_(operations_.registry, "plant"),
        historian_circuit_(operations_.registry, "historian"),
        decisions_circuit_(operations_.registry, "decisions"),
        clock_steps_(
            operations_.registry.counter("rltune_role_clock_steps_total", "Steps of the wall clock that were seen")),
        clock_step_(operations_.registry.gauge("rltune_role_clock_last_step_seconds",
                                               "Size of the last one; positive: forward")),
        clock_synchronised_(
            operations_.registry.gauge("rltune_role_clock_synchronised", "1 while the kernel's clock follows NTP")) {}
  Result<> open_stores();
  Result<> open_bus(const std::string& run_folder);
  Result<> open_reading(const std::string& run_folder);
  Result<> make_loop();
  Result<> reload();
  void add_handlers();
  void watch();
  void watch_clock();
  Breaker::Figures plant_circuit() const;
  std::vector<metrics::Check> checks() const;
  bool connect_once();
  void run_connected();
  void serve();

  template <typename Request, typename Answer>
  void handle(const std::string& method, Result<> (ControlLoop::*call)(const Request&, Answer&)) {
    server_->handle<Request, Answer>(method, [this, call](const bus::Call&, const Request& request, Answer& answer) {
      return (loop_.get()->*call)(request, answer);
    });
  }

  void record_mode(const bus::Call& call, const v1::ModeRequest& request, const std::string& was,
                   const v1::ModeAnswer& answer);
  Result<> write_by_hand(const bus::Call& call, const v1::WriteRequest& request, v1::WriteAnswer& answer);

  config::Site site_;
  std::filesystem::path file_;
  std::string text_;  // of the file, as it is in force here
  WallClock clock_;
  ClockWatch clock_watch_{clock_};
  metrics::Operations operations_;
  tracing::SiteTelemetry telemetry_;
  LoopMetrics metrics_;
  Breaker plant_;  // before the first connection; afterwards the link reconnects by itself
  metrics::Circuit circuit_, historian_circuit_, decisions_circuit_;
  metrics::Counter& audit_removed_ =
      operations_.registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "audit"}});
  metrics::Counter& clock_steps_;
  metrics::Gauge &clock_step_, &clock_synchronised_;
  Duration watched_{};
  bus::Context context_;
  vault::Vault vault_;
  std::optional<audit::Recorder> audit_;
  std::optional<historian::Historian> historian_;
  std::optional<historian::DecisionLog> decisions_;
  std::optional<guard::Guard> guard_;
  std::unique_ptr<plant::PlantLink> link_;
  std::vector<std::unique_ptr<FallbackController>> fallbacks_;
  std::optional<bus::Server> server_;
  std::optional<bus::Publisher> publisher_;
  std::optional<BusEvents> events_;
  std::unique_ptr<ControlLoop> loop_;
  std::vector<Sample> samples_ = std::vector<Sample>(kSamplesAtOnce);
  std::string open_error_ = "connecting to the plant";
  reading::History history_{site_.folder / site_.storage.folder};
  reading::Decisions recorded_{site_.folder / site_.storage.folder / "decisions"};
  std::optional<reading::ReadingThread> reading_;
};

Result<std::unique_ptr<Role>> Role::create(const IoOptions& options) {
  auto text = config::load_text(options.site);
  if (!text) return std::unexpected(text.error());
  auto site = site_of(*text, options.site);
  if (!site) return std::unexpected(site.error());
  std::unique_ptr<Role> role(new Role(std::move(*site), options.run_folder));
  role->file_ = options.site;
  role->text_ = std::move(*text);
  if (auto done = role->open_stores(); !done) return std::unexpected(done.error());
  if (auto done = role->open_bus(options.run_folder); !done) return std::unexpected(done.error());
  if (auto done = role->make_loop(); !done) return std::unexpected(done.error());
  return role;
}

Result<> Role::open_stores() {
  std::vector<std::string> names;
  for (const config::Tag& tag : site_.tags) names.push_back(tag.name);
  const std::filesystem::path folder = site_.folder / site_.storage.folder;
  if (auto told = vault::declare(folder, {site_.storage.encrypted, site_.key_file()}); !told) return told;
  vault_ = vault::Vault::of(folder);
  if (auto allowed = vault_.allows(); !allowed)
    log::critical("control goes on, and orders of persons are refused", {{"because", allowed.error().message}});
  historian::Options options;
  options.folder = folder;
  options.retention = {.raw = from_seconds(site_.storage.raw_days * 86'400.0),
                       .minute = from_seconds(site_.storage.minute_days * 86'400.0),
                       .five_minutes = from_seconds(site_.storage.five_minute_days * 86'400.0),
                       .bytes_max = static_cast<std::uint64_t>(site_.storage.size_max_gb * 1e9)};
  auto historian = historian::Historian::open(options, names);
  if (!historian) return std::unexpected(historian.error());
  historian_ = std::move(*historian);
  auto decisions = historian::DecisionLog::open(
      folder / "decisions", {.keeping = {.age = config::kept_for(site_.folder, &config::Retention::decisions_days)}});
  if (!decisions) return std::unexpected(decisions.error());
  decisions_ = std::move(*decisions);
  audit_.emplace(
      audit::RecorderOptions{.folder = folder / "audit",
                             .role = "io",
                             .keeping = {.age = config::kept_for(site_.folder, &config::Retention::audit_days)}});
  return {};
}

Result<> Role::open_bus(const std::string& run_folder) {
  auto server = bus::Server::bind(bus::call_endpoint(run_folder, "io"));
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  auto publisher = bus::Publisher::bind(context_, bus::event_endpoint(run_folder, "io"));
  if (!publisher) return std::unexpected(publisher.error());
  publisher_.emplace(std::move(*publisher));
  events_.emplace(*publisher_);
  return open_reading(run_folder);
}

// What is recorded is read beside the loop, which never waits for it.
Result<> Role::open_reading(const std::string& run_folder) {
  history_.tell(site_);
  auto reading = reading::ReadingThread::start(run_folder, "io", [this](bus::Server& server) {
    history_.add_to(server);
    recorded_.add_to(server);
  });
  if (!reading) return std::unexpected(reading.error());
  reading_.emplace(std::move(*reading));
  return {};
}

Result<> Role::make_loop() {
  auto guard = guard::Guard::create(site_);
  if (!guard) return std::unexpected(guard.error());
  guard_ = std::move(*guard);
  for (const config::Agent& agent : site_.agents) {
    auto fallback = FallbackController::create(site_, agent);
    if (!fallback) return std::unexpected(fallback.error());
    fallbacks_.push_back(std::move(*fallback));
  }
  auto link = plant::make_link(site_.link, site_.folder);
  if (!link) return std::unexpected(link.error());
  link_ = std::move(*link);
  loop_ = std::make_unique<ControlLoop>(ControlLoop::Parts{.site = site_,
                                                           .link = *link_,
                                                           .guard = *guard_,
                                                           .historian = *historian_,
                                                           .decisions = *decisions_,
                                                           .events = *events_,
                                                           .clock = clock_,
                                                           .fallbacks = fallbacks_,
                                                           .metrics = &metrics_});
  restore_mode(*loop_, site_);
  restore_active(*loop_, site_);
  add_handlers();
  if (site_.operations.endpoints) operations_.open();
  return {};
}

// The rules of a running loop: what the guard knows of the plant stays. All of the file is taken over, or nothing.
Result<> Role::reload() {
  auto text = config::load_text(file_);
  if (!text) return std::unexpected(text.error());
  const auto changes = config::changes(text_, *text);
  if (!changes) return std::unexpected(changes.error());
  for (const config::Change& change : *changes)
    if (std::ranges::find(change.restarts, "io") != change.restarts.end())
      return fail(Errc::unsupported, std::format("{} is taken over at a start only", change.field));
  auto site = site_of(*text, file_);
  if (!site) return std::unexpected(site.error());
  auto guard = guard::Guard::create(*site);
  if (!guard) return std::unexpected(guard.error());
  guard->take_over(*guard_);
  *guard_ = std::move(*guard);
  site_.guard = std::move(site->guard);
  site_.budgets = std::move(site->budgets);
  for (std::size_t i = 0; i < site_.agents.size(); ++i) {
    site_.agents[i].hold_s = site->agents[i].hold_s;
    site_.agents[i].agent_alive_timeout_s = site->agents[i].agent_alive_timeout_s;
  }
  loop_->rules_changed();
  history_.tell(site_);
  text_ = std::move(*text);
  for (const config::Change& change : *changes)
    if (!change.live.empty())
      log::info("a rule has changed", {{"field", change.field}, {"was", change.was}, {"is", change.is}});
  return {};
}

void Role::add_handlers() {
  server_->handle<v1::ReloadRequest, v1::ReloadAnswer>(
      "io.Reload", [this](const bus::Call&, const v1::ReloadRequest&, v1::ReloadAnswer&) { return reload(); });
  handle("io.Attach", &ControlLoop::attach);
  handle("io.Propose", &ControlLoop::propose);
  server_->handle<v1::WriteRequest, v1::WriteAnswer>(
      "io.Write", [this](const bus::Call& call, const v1::WriteRequest& request, v1::WriteAnswer& answer) {
        return write_by_hand(call, request, answer);
      });
  handle("io.Instances", &ControlLoop::instances);
  server_->handle<v1::ActivateRequest, v1::ActivateAnswer>(
      "io.Activate",
      [this](const bus::Call&, const v1::ActivateRequest& request, v1::ActivateAnswer& answer) -> Result<> {
        if (auto done = loop_->activate(request, answer); !done) return done;
        return keep_active(*loop_, site_);
      });
  server_->handle<v1::AliveRequest, v1::AliveAnswer>(
      "io.Alive",
      [this](const bus::Call&, const v1::AliveRequest& request, v1::AliveAnswer&) { return loop_->alive(request); });
  server_->handle<v1::ModeRequest, v1::ModeAnswer>(
      "io.Mode", [this](const bus::Call& call, const v1::ModeRequest& request, v1::ModeAnswer& answer) -> Result<> {
        const std::string was = guard::to_string(guard_->mode());
        // Taking the plant in hand never waits for a key.
        if (!request.mode().empty() && request.mode() != guard::to_string(guard::Mode::manual))
          if (auto allowed = vault_.allows(); !allowed) return allowed;
        if (auto done = loop_->set_mode(request, answer); !done) return done;
        record_mode(call, request, was, answer);
        return keep_mode(site_, answer.mode());
      });
  server_->handle<v1::IoStatusRequest, v1::IoStatusAnswer>(
      "io.Status", [this](const bus::Call&, const v1::IoStatusRequest&, v1::IoStatusAnswer& answer) -> Result<> {
        loop_->status(answer);
        if (!open_error_.empty()) answer.set_link_reason(open_error_);
        return {};
      });
  server_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "io.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        const plant::LinkStatus link = link_->status();
        answer.set_healthy(open_error_.empty() && link.state == plant::LinkState::connected);
        answer.set_reason(open_error_.empty() ? link.reason : open_error_);
        answer.set_pid(::getpid());
        answer.set_endpoint(operations_.address());
        metrics::tell_circuits(operations_.registry, answer);
        return {};
      });
  bus::serve_log_level(*server_, "io");
}

// What Prometheus and a health check see that the loop itself does not count, once a second.
void Role::watch() {
  const Duration now = clock_.steady();
  if (now - watched_ < kWatchEvery) return;
  watched_ = now;
  watch_clock();
  circuit_.show(plant_circuit());
  metrics_.link(link_->status());
  const historian::Status samples = historian_->status();
  const historian::DecisionLogStatus decisions = decisions_->status();
  historian_circuit_.show(samples.circuit);
  decisions_circuit_.show(decisions.circuit);
  metrics_.stores(samples, decisions);
  audit_removed_.follow(static_cast<double>(audit_->status().removed));
  metrics_.mode(guard_->mode());
  operations_.health.report(checks());
}

// Nothing is timed by the wall clock but what stands on record; a person has to know that those times are off.
void Role::watch_clock() {
  switch (clock_watch_.look()) {
    case ClockWatch::Change::stepped:
      log::error("the wall clock was set", {{"by_s", std::format("{:.3f}", clock_watch_.last_step_s())}});
      break;
    case ClockWatch::Change::ntp_lost:
      log::warning("the wall clock does not follow NTP any more");
      break;
    case ClockWatch::Change::ntp_back:
      log::info("the wall clock follows NTP again");
      break;
    case ClockWatch::Change::none:
      break;
  }
  clock_steps_.follow(static_cast<double>(clock_watch_.steps()));
  clock_step_.set(clock_watch_.last_step_s());
  clock_synchronised_.set(clock_watch_.synchronised() ? 1.0 : 0.0);
}

// The link's own, and ours until it has connected once.
Breaker::Figures Role::plant_circuit() const {
  const Breaker::Figures link = link_->status().circuit;
  return {open_error_.empty() ? link.state : plant_.state(), link.openings + plant_.openings(),
          link.failures + plant_.failures()};
}

std::vector<metrics::Check> Role::checks() const {
  const plant::LinkStatus link = link_->status();
  const bool connected = open_error_.empty() && link.state == plant::LinkState::connected;
  const std::string trouble = loop_->trouble();
  const bool decides = loop_->every_agent_decides();
  const bool stepped = clock_watch_.steps() > 0 && clock_watch_.since_step() < kStepRemembered;
  // Neither a step nor the loss of NTP keeps io from its work: they are told, and fail nothing.
  const std::string clock = stepped ? std::format("set by {:.3f} s, {:.0f} s ago", clock_watch_.last_step_s(),
                                                  to_seconds(clock_watch_.since_step()))
                            : clock_watch_.synchronised() ? ""
                                                          : "does not follow NTP";
  return {{"plant", connected, open_error_.empty() ? link.reason : open_error_},
          {"store", trouble.empty(), trouble},
          {"agents", decides, decides ? "" : "an agent is silent or has not attached"},
          {"mode", true, guard::to_string(guard_->mode())},
          {"clock", true, clock},
          {"record", true, vault_.allows() ? "" : vault_.allows().error().message}};
}

// Asking for the mode is no action.
void Role::record_mode(const bus::Call& call, const v1::ModeRequest& request, const std::string& was,
                       const v1::ModeAnswer& answer) {
  if (request.mode().empty()) return;
  audit::Entry entry{.actor = request.user().empty() ? "unnamed" : request.user(),
                     .action = "mode.change",
                     .target = site_.name,
                     .reason = request.reason(),
                     .correlation_id = std::string(call.correlation_id),
                     .details = {{"asked", request.mode()}, {"from", was}, {"to", answer.mode()}}};
  if (!answer.refused().empty()) entry.details.emplace_back("refused", answer.refused());
  audit_->post(std::move(entry));
}

Result<> Role::write_by_hand(const bus::Call& call, const v1::WriteRequest& request, v1::WriteAnswer& answer) {
  if (auto allowed = vault_.allows(); !allowed) return allowed;
  const auto done = loop_->write(request, answer);
  audit::Entry entry{.actor = request.user().empty() ? "unnamed" : request.user(),
                     .action = "setpoint.write",
                     .target = request.tag(),
                     .reason = request.reason(),
                     .correlation_id = std::string(call.correlation_id),
                     .details = {{"asked", std::format("{}", request.value())}}};
  if (done) {
    const v1::OutputVerdict& verdict = answer.verdict();
    entry.details.insert(entry.details.end(),
                         {{"applied", std::format("{}", verdict.applied())},
                          {"verdict", guard::to_string(static_cast<guard::Action>(verdict.action()))},
                          {"because", guard::describe(verdict.reasons())},
                          {"written", verdict.written() ? "yes" : "no"},
                          {"verified", answer.verified() ? "yes" : "no"}});
  } else {
    entry.details.emplace_back("refused", done.error().message);
  }
  audit_->post(std::move(entry));
  return done;
}

void Role::serve() {
  while (server_->serve(std::chrono::milliseconds(0)) > 0) {
  }
}

// Tries to open the link; between tries the bus is served, so that status tells why.
bool Role::connect_once() {
  if (auto opened = link_->open(bindings_of(site_)); !opened) {
    if (opened.error().message != open_error_)
      log::error("the plant cannot be opened; nothing is written",
                 {{"reason", opened.error().message}, {"code", to_string(opened.error().code)}});
    open_error_ = opened.error().message;
    link_->close();
    plant_.failed(clock_.steady());
    return false;
  }
  log::info("connected to the plant", {{"url", site_.link.url}});
  open_error_.clear();
  plant_.succeeded();
  return true;
}

void Role::run_connected() {
  std::array<pollfd, 2> waits{pollfd{.fd = link_->descriptor(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = server_->descriptor(), .events = POLLIN, .revents = 0}};
  while (!interrupted()) {
    serve();
    const std::size_t count = link_->poll(samples_, std::chrono::milliseconds(0));
    if (count > 0) loop_->on_samples({samples_.data(), count});
    loop_->tick();
    serve();
    watch();
    if (count == 0) ::poll(waits.data(), waits.size(), static_cast<int>(kTick.count()));
  }
}

Result<> Role::run() {
  audit_->post({.action = "role.start", .target = site_.name, .details = {{"mode", guard::to_string(guard_->mode())}}});
  while (!interrupted() && !connect_once()) {
    while (!interrupted() && !plant_.allows(clock_.steady())) {
      server_->serve(kTick);
      watch();
    }
  }
  run_connected();
  log::info("stopping: outputs stay as they are, the plant sheds when the heartbeat ends");
  link_->close();
  audit_->post({.action = "role.stop", .target = site_.name, .details = {{"mode", guard::to_string(guard_->mode())}}});
  auto flushed = decisions_->flush();
  auto stored = historian_->flush();
  return flushed ? stored : flushed;
}

}  // namespace

Result<> run_io(const IoOptions& options) {
  auto role = Role::create(options);
  if (!role) return std::unexpected(role.error());
  return (*role)->run();
}

}  // namespace rltune::io
