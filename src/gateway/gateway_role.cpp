#include "rltune/gateway/gateway_role.hpp"

#include <unistd.h>

#include <algorithm>
#include <format>
#include <thread>

#include "audit_operations.hpp"
#include "backup_operations.hpp"
#include "break_glass.hpp"
#include "config_operations.hpp"
#include "decision_operations.hpp"
#include "documents.hpp"
#include "door.hpp"
#include "history_operations.hpp"
#include "key_operations.hpp"
#include "live.hpp"
#include "oidc_sign_in.hpp"
#include "open_paths.hpp"
#include "plant_operations.hpp"
#include "policy_operations.hpp"
#include "rltune/access/certificate.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/version.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/site.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "rltune/vault/vault.hpp"
#include "run_operations.hpp"
#include "sign_in.hpp"
#include "site_operations.hpp"
#include "telemetry_operations.hpp"
#include "user_operations.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 500ms;
constexpr auto kSlowTurn = 60s;
constexpr std::size_t kPagesAtOnce = 1, kPagesWaiting = 32;  // a page takes some milliseconds and a few megabytes

class Role {
 public:
  static Result<std::unique_ptr<Role>> create(const Options& options) {
    auto site = config::load_site(options.site);
    if (!site) return std::unexpected(site.error());
    site->folder = std::filesystem::absolute(options.site).parent_path();
    std::unique_ptr<Role> role(new Role(std::move(*site), options.run_folder));
    if (auto done = role->open_stores(); !done) return std::unexpected(done.error());
    if (auto done = role->open_bus(options.run_folder.string()); !done) return std::unexpected(done.error());
    if (auto done = role->start_live(options.run_folder.string()); !done) return std::unexpected(done.error());
    if (auto done = role->listen(); !done) return std::unexpected(done.error());
    return role;
  }

  void run() {
    while (!interrupted()) {
      bus_->serve(kTurn);
      accounts_.turn();
      look_at_keys();
    }
  }

 private:
  Role(config::Site site, const std::filesystem::path& run_folder)
      : site_(std::move(site)),
        folder_(site_.folder / site_.storage.folder / "access"),
        run_folder_(run_folder),
        operations_("gateway", clock_),
        telemetry_({.folder = site_.folder, .run_folder = run_folder, .site = site_.name, .role = "gateway"},
                   operations_.registry),
        accounts_(site_.folder) {}

  Result<> open_stores();
  Result<> open_bus(const std::string& run_folder);
  Result<> start_live(const std::string& run_folder);
  Handlers record_handlers();
  DoorOptions door_options() const;
  std::vector<webserver::Route> open_routes();
  Result<> listen();
  Result<std::filesystem::path> certificate() const;
  void look_at_keys();
  void look_at_certificate();
  void record(audit::Entry entry) { audit_->post(std::move(entry)); }

  config::Site site_;
  std::filesystem::path folder_, run_folder_;
  WallClock clock_;
  metrics::Operations operations_;
  tracing::SiteTelemetry telemetry_;
  Accounts accounts_;
  std::optional<audit::Recorder> audit_;
  std::unique_ptr<access::KeyRing> keys_;
  std::optional<access::Sessions> sessions_;
  std::optional<access::OneTimeLinks> links_;
  std::optional<access::UsedCodes> codes_;
  // What answers comes before what is asked: a call under way is answered through the door while its caller ends.
  EmergencySession emergency_;
  std::optional<Credentials> credentials_;
  std::optional<Door> door_;
  std::optional<OpenPaths> open_paths_;
  std::optional<SignIn> sign_in_;
  std::optional<OidcSignIn> oidc_;
  std::optional<BreakGlass> break_glass_;
  Workers pages_{kPagesAtOnce, kPagesWaiting}, telemetry_asked_{kPagesAtOnce, kPagesWaiting};
  bus::Context context_;
  std::optional<bus::Server> bus_;
  std::optional<bus::Caller> caller_;
  std::unique_ptr<Live> live_;
  std::optional<webserver::Server> server_;  // last: it ends first
  Duration looked_{};
  std::filesystem::file_time_type certificate_taken_{};
};

Result<> Role::open_stores() {
  const auto data = site_.folder / site_.storage.folder;
  if (auto told = vault::declare(data, {site_.storage.encrypted, site_.key_file()}); !told) return told;
  audit_.emplace(
      audit::RecorderOptions{.folder = data / "audit",
                             .role = "gateway",
                             .keeping = {.age = config::kept_for(site_.folder, &config::Retention::audit_days)}});
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, failed);
  if (failed) return fail(Errc::io, std::format("{} cannot be made: {}", folder_.string(), failed.message()));
  auto keys = access::KeyRing::open({.file = folder_ / "keys"}, clock_);
  if (!keys) return std::unexpected(keys.error());
  keys_ = std::move(*keys);
  auto sessions = access::Sessions::open({.file = folder_ / "sessions.db",
                                          .life = kRefreshLife,
                                          .idle_life = from_seconds(3600.0 * accounts_.sign_in().session_hours)},
                                         clock_.now());
  if (!sessions) return std::unexpected(sessions.error());
  sessions_.emplace(std::move(*sessions));
  auto links = access::OneTimeLinks::open(folder_ / "links.db");
  if (!links) return std::unexpected(links.error());
  links_.emplace(std::move(*links));
  auto codes = access::UsedCodes::open(folder_ / "codes.db");
  if (!codes) return std::unexpected(codes.error());
  codes_.emplace(std::move(*codes));
  return {};
}

Result<> Role::open_bus(const std::string& run_folder) {
  auto caller = bus::Caller::connect(bus::call_endpoint(run_folder, "coredinator"));
  if (!caller) return std::unexpected(caller.error());
  caller_.emplace(std::move(*caller));
  auto server = bus::Server::bind(bus::call_endpoint(run_folder, "gateway"));
  if (!server) return std::unexpected(server.error());
  bus_.emplace(std::move(*server));
  bus_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "gateway.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer.set_healthy(true);
        answer.set_pid(::getpid());
        answer.set_endpoint(operations_.address());
        return {};
      });
  bus::serve_log_level(*bus_, "gateway");
  if (site_.operations.endpoints) operations_.open();
  return {};
}

Result<> Role::start_live(const std::string& run_folder) {
  LiveOptions options{.events = bus::event_endpoint(run_folder, "io"), .ask = [this](const LiveOptions::Fill& fill) {
                        caller_->call({.method = "io.Status", .target = "io", .timeout = 2s}, {},
                                      [fill](const Result<std::string>& answered) {
                                        v1::IoStatusAnswer status;
                                        if (answered && status.ParseFromString(*answered)) fill(status.latest());
                                      });
                      }};
  for (const config::Tag& tag : site_.tags) options.tags.push_back({tag.name, tag.elements});
  auto live = Live::start(context_, std::move(options));
  if (!live) return std::unexpected(live.error());
  live_ = std::move(*live);
  return {};
}

// The one that was given, or our own, made where there is none or its end is near.
Result<std::filesystem::path> Role::certificate() const {
  if (!site_.gateway.certificate_file.empty()) return site_.folder / site_.gateway.certificate_file;
  std::filesystem::path file = folder_ / "certificate.pem";
  const auto facts = access::read_certificate(file);
  if (facts && !access::days_alarm(facts->ends, clock_.now())) return file;
  std::array<char, 256> host{};
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  if (::gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') names.emplace_back(host.data());
  if (auto made = access::make_certificate(file, names, clock_.now()); !made) return std::unexpected(made.error());
  const auto made = access::read_certificate(file);
  if (made) log::info("made a certificate", {{"file", file.string()}, {"fingerprint", made->fingerprint}});
  return file;
}

Handlers Role::record_handlers() {
  const Reading reading{.caller = *caller_, .workers = pages_, .clock = clock_};
  const TellRead tell_read = [this](const ReadEvent& event) {
    record({.actor = event.account,
            .action = event.action,
            .target = event.target,
            .correlation_id = event.correlation_id});
  };
  Handlers handlers = history_handlers(reading);
  handlers.merge(decision_handlers(reading, tell_read));
  handlers.merge(audit_handlers(reading, tell_read));
  handlers.merge(plant_handlers(reading));
  handlers.merge(policy_handlers(reading));
  handlers.merge(run_handlers(reading));
  handlers.merge(backup_handlers(reading));
  handlers.merge(telemetry_handlers(
      {.announcement = run_folder_ / "telemetry.json", .paths = HostPaths(site_.folder), .workers = telemetry_asked_},
      tell_read));
  return handlers;
}

DoorOptions Role::door_options() const {
  const config::Gateway& gateway = site_.gateway;
  OperationRates rates = default_operation_rates();
  for (const config::CallLimit& limit : gateway.limits)
    rates[limit.operation] = {.per_second = limit.calls_per_s, .burst = limit.calls_burst};
  for (const std::string& name : unknown_operations(rates))
    log::warning("a limit is for an operation that the API does not have", {{"operation", name}});
  return {.limits = {.rate = {.per_second = gateway.calls_per_s, .burst = gateway.calls_burst},
                     .exempt = {gateway.exempt_addresses.begin(), gateway.exempt_addresses.end()},
                     .operations = std::move(rates)},
          .allowed_origins = {gateway.allowed_origins.begin(), gateway.allowed_origins.end()}};
}

std::vector<webserver::Route> Role::open_routes() {
  std::vector<webserver::Route> routes;
  routes.push_back(open_paths_->route(
      "healthcheck", {"GET", "/healthcheck", [](const webserver::Request&, const webserver::Reply& reply) {
                        reply({.body = R"({"status":"ok"})", .headers = {{"Cache-Control", "no-store"}}});
                      }}));
  routes.push_back(open_paths_->route(
      "jwks", {"GET", "/.well-known/jwks.json", [this](const webserver::Request&, const webserver::Reply& reply) {
                 reply({.body = keys_->jwks(), .headers = {{"Cache-Control", "max-age=300"}}});
               }}));
  for (webserver::Route& route : document_routes(version()))
    routes.push_back(open_paths_->route("documents", std::move(route)));
  return routes;
}

Result<> Role::listen() {
  const auto file = certificate();
  if (!file) return std::unexpected(file.error());
  const std::string issuer = "rltune:" + site_.name;
  credentials_.emplace(accounts_, *sessions_, *keys_, emergency_, issuer);
  const auto tell = [this](const SignInEvent& event) {
    record({.actor = event.account.empty() ? "nobody" : event.account,
            .action = event.action,
            .target = event.address,
            .reason = event.reason,
            .correlation_id = event.correlation_id});
  };
  sign_in_.emplace(SignIn::Parts{.accounts = accounts_,
                                 .sessions = *sessions_,
                                 .links = *links_,
                                 .codes = *codes_,
                                 .credentials = *credentials_,
                                 .emergency = emergency_,
                                 .clock = clock_,
                                 .site = site_.name,
                                 .tell = tell});
  oidc_.emplace(OidcSignIn::Parts{.accounts = accounts_,
                                  .sign_in = *sign_in_,
                                  .clock = clock_,
                                  .own_url = std::format("https://localhost:{}", site_.gateway.port)});
  break_glass_.emplace(BreakGlass::Parts{.file = folder_ / "break-glass",
                                         .session = emergency_,
                                         .credentials = *credentials_,
                                         .clock = clock_,
                                         .tell = tell});
  door_.emplace(door_options(), *credentials_, clock_, operations_.registry, [this](const Refusal& refusal) {
    record({.actor = refusal.account,
            .action = "permission.denied",
            .target = refusal.operation,
            .reason = "asks for " + refusal.permission,
            .correlation_id = refusal.correlation_id});
  });
  open_paths_.emplace(door_->limits(), door_->origins(), clock_, load_ui(site_.gateway.ui_folder, site_.folder));
  Handlers handlers = sign_in_->handlers();
  handlers.merge(oidc_->handlers());
  handlers.merge(break_glass_->handlers());
  handlers.merge(site_handlers(*caller_, site_));
  handlers.merge(record_handlers());
  handlers.merge(config_handlers(*caller_));
  handlers.merge(key_handlers(*caller_, *keys_, clock_, [this](const Call& call, const std::string& reason) {
    record({.actor = call.identity->name,
            .action = "keys.rotated",
            .reason = reason,
            .correlation_id = call.correlation_id});
  }));
  handlers.merge(
      user_handlers({.accounts = accounts_,
                     .sessions = *sessions_,
                     .links = *links_,
                     .clock = clock_,
                     .tell = [this](const Call& call, const std::string& action, const std::string& account) {
                       record({.actor = call.identity->name,
                               .action = action,
                               .target = account,
                               .correlation_id = call.correlation_id});
                     }}));
  auto routes = door_->routes(std::move(handlers));
  std::ranges::move(open_routes(), std::back_inserter(routes));
  auto server = webserver::Server::start(
      {.address = site_.gateway.address,
       .port = static_cast<std::uint16_t>(site_.gateway.port),
       .threads = 2,
       .body_bytes_max = std::size_t{1} << 20U,
       .idle_timeout = 30s,
       .certificate_file = *file,
       .key_file = site_.gateway.key_file.empty() ? *file : site_.folder / site_.gateway.key_file,
       .unrouted = open_paths_->unrouted()},
      std::move(routes),
      {door_->socket_route("/api/v1/live", api::Permission::site_read,
                           [this](const std::shared_ptr<webserver::Socket>& socket, std::function<bool()> may_stay) {
                             return live_->join(socket, std::move(may_stay));
                           })});
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  std::error_code ignored;
  certificate_taken_ = std::filesystem::last_write_time(*file, ignored);
  log::info("takes calls", {{"at", std::format("https://{}:{}", site_.gateway.address, server_->port())}});
  return {};
}

// Keys are rotated when that is due, and whoever holds an old token goes on with it.
void Role::look_at_keys() {
  const Duration now = clock_.steady();
  if (looked_ != Duration::zero() && now - looked_ < kSlowTurn) return;
  looked_ = now;
  const auto turned = keys_->turn();
  if (!turned) log::error("the keys could not be rotated", {{"reason", turned.error().message}});
  if (turned && *turned) record({.action = "keys.rotated"});
  look_at_certificate();
}

// A file that was replaced, or our own before its end: connections that come from now on get it.
void Role::look_at_certificate() {
  const auto file = certificate();
  if (!file) return log::error("the certificate could not be made anew", {{"reason", file.error().message}});
  std::error_code failed;
  const auto changed = std::filesystem::last_write_time(*file, failed);
  if (failed || changed == certificate_taken_) return;
  certificate_taken_ = changed;
  if (const auto taken = server_->take_certificate(); !taken)
    return log::error("the new certificate is not used", {{"reason", taken.error().message}});
  log::info("shows the certificate as it lies there now", {{"file", file->string()}});
}

}  // namespace

Result<> run_gateway(const Options& options) {
  auto role = Role::create(options);
  if (!role) return std::unexpected(role.error());
  (*role)->run();
  log::info("gateway ends");
  return {};
}

}  // namespace rltune::gateway
