#include "rltune/collector/telemetry_role.hpp"

#include <unistd.h>

#include <format>
#include <mutex>
#include <nlohmann/json.hpp>

#include "announcement.hpp"
#include "asking.hpp"
#include "doors.hpp"
#include "log_door.hpp"
#include "rltune/alerts/default_rules.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/site.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/telemetry/log_indexer.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/supervision.pb.h"
#include "rltune/vault/vault.hpp"
#include "sending.hpp"
#include "stream_figures.hpp"

namespace rltune::collector {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 250ms;

Result<config::Telemetry> telemetry_of(const std::filesystem::path& folder) {
  const auto file = folder / config::file_name(config::Kind::telemetry);
  if (!std::filesystem::exists(file)) return config::Telemetry{};
  return config::load_telemetry(file);
}

Result<config::Alerts> alerts_of(const config::Site& site, bool roles_are_asked) {
  const auto file = site.folder / config::file_name(config::Kind::alerts);
  if (std::filesystem::exists(file)) return config::load_alerts(file);
  return alerts::default_rules(roles_are_asked);
}

// Everything the role owns, in the order in which it must be built and go away.
class Role {
 public:
  static Result<std::unique_ptr<Role>> create(const Options& options);
  // What was taken is still committed, and nobody is left to be told of it.
  ~Role() {
    server_.reset();
    asking_.reset();
    const std::scoped_lock lock(sending_mutex_);
    sending_.reset();
  }
  void run();

 private:
  Role(config::Site site, config::Telemetry telemetry, const std::filesystem::path& run_folder)
      : site_(std::move(site)),
        telemetry_(std::move(telemetry)),
        operations_("telemetry", clock_),
        tells_({.folder = site_.folder, .run_folder = run_folder, .site = site_.name, .role = "telemetry"},
               operations_.registry) {}

  Result<> open(const std::filesystem::path& run_folder);
  Result<> open_streams(const std::filesystem::path& folder);
  Result<> watch(const std::filesystem::path& folder);
  void retain();
  void notify(const std::string& stream);
  nlohmann::ordered_json status() const;
  Result<> listen(const std::filesystem::path& run_folder);
  Result<> serve(const std::filesystem::path& run_folder);

  const config::Site site_;
  const config::Telemetry telemetry_;
  WallClock clock_;
  metrics::Operations operations_;
  std::optional<Streams> streams_;
  std::mutex sending_mutex_;
  std::unique_ptr<Sending> sending_;
  std::optional<telemetry::LogIndexer> indexer_;
  std::optional<ReadDoor> reading_;
  std::optional<StreamFigures> figures_;
  std::unique_ptr<alerts::Watch> watch_;
  std::optional<AlertDoor> alerts_;
  std::optional<Asking> asking_;
  std::optional<webserver::Server> server_;
  std::optional<Announcement> announcement_;
  tracing::SiteTelemetry tells_;
  std::optional<bus::Server> bus_;
};

Result<std::unique_ptr<Role>> Role::create(const Options& options) {
  auto site = config::load_site(options.site);
  if (!site) return std::unexpected(site.error());
  auto telemetry = telemetry_of(site->folder);
  if (!telemetry) return std::unexpected(telemetry.error());
  std::unique_ptr<Role> role(new Role(std::move(*site), std::move(*telemetry), options.run_folder));
  if (auto done = role->open(options.run_folder); !done) return std::unexpected(done.error());
  return role;
}

Result<> Role::open_streams(const std::filesystem::path& folder) {
  auto streams = Streams::open(folder, telemetry_.collect, clock_, operations_.registry,
                               [this](const std::string& stream) { notify(stream); });
  if (!streams) return std::unexpected(streams.error());
  streams_.emplace(std::move(*streams));
  auto sending =
      Sending::start(telemetry_, {.site = site_.name, .site_folder = site_.folder, .folder = folder / "forward"},
                     *streams_, clock_, operations_.registry);
  if (!sending) return std::unexpected(sending.error());
  sending_ = std::move(*sending);
  return {};
}

Result<> Role::watch(const std::filesystem::path& folder) {
  auto rules = alerts_of(site_, site_.operations.endpoints && telemetry_.metrics.enabled);
  if (!rules) return std::unexpected(rules.error());
  auto watch = alerts::Watch::open(std::move(*rules),
                                   {.state_file = folder / "alerts.json",
                                    .engine = {.site = site_.name, .vault = vault::Vault::of(folder.parent_path())},
                                    .notifier = {.channel = {.folder = site_.folder}}},
                                   clock_, streams_->logs(), streams_->metrics());
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  alerts_.emplace(*watch_);
  return {};
}

void Role::notify(const std::string& stream) {
  const std::scoped_lock lock(sending_mutex_);
  if (sending_) sending_->notify(stream);
}

void Role::retain() {
  for (const char* stream : {"logs", "metrics"})
    streams_->of(stream).retain({.bytes_max = static_cast<std::uint64_t>(telemetry_.collect.retention_gb * 1e9),
                                 .age_max = from_seconds(86'400.0 * telemetry_.collect.retention_days),
                                 .taken = sending_->taken(stream)});
}

Result<> Role::open(const std::filesystem::path& run_folder) {
  const auto folder = site_.folder / site_.storage.folder / "telemetry";
  if (auto done = open_streams(folder); !done) return done;
  retain();
  indexer_.emplace(streams_->logs().records());
  reading_.emplace(streams_->logs().records());
  figures_.emplace(*streams_, operations_.registry);
  if (auto done = watch(folder); !done) return done;
  if (telemetry_.metrics.enabled)
    asking_.emplace(site_, telemetry_.metrics, Asking::Options{.run_folder = run_folder, .folder = folder}, *streams_,
                    clock_, operations_.registry);
  if (auto done = listen(run_folder); !done) return done;
  return serve(run_folder);
}

nlohmann::ordered_json Role::status() const {
  nlohmann::ordered_json out{{"site", site_.name}, {"source", streams_->source()}};
  for (const char* stream : {"logs", "metrics"}) {
    const auto now = streams_->of(stream).status();
    const auto writable = streams_->of(stream).writable();
    out["streams"][stream] = {{"acknowledged", now.acknowledged},
                              {"floor", now.floor},
                              {"disk_bytes", now.disk_bytes},
                              {"free_bytes", now.free_bytes},
                              {"low_disk", now.low_disk},
                              {"lost", now.lost},
                              {"refused", now.refused},
                              {"removed", now.removed},
                              {"removed_unsent", now.unsent},
                              {"waiting_bytes", now.waiting_bytes},
                              {"trouble", writable ? std::string() : writable.error().message}};
  }
  out["sinks"] = sending_->told();
  out["targets"] = asking_ ? asking_->told() : nlohmann::ordered_json::array();
  return out;
}

Result<> Role::listen(const std::filesystem::path& run_folder) {
  auto token = token_of(site_.folder, telemetry_.collect);
  if (!token) return std::unexpected(token.error());
  auto server = webserver::Server::start(
      {.port = static_cast<std::uint16_t>(telemetry_.collect.port),
       .body_bytes_max = kBodyBytesMax,
       .all_bodies_bytes_max = 8 * kBodyBytesMax},
      routes({*streams_, operations_.registry, *reading_, *alerts_, clock_, [this] { return status(); }}, *token));
  if (!server) return std::unexpected(server.error());
  server_.emplace(std::move(*server));
  auto told = Announcement::make(run_folder, server_->port(), *token);
  if (!told) return std::unexpected(told.error());
  announcement_.emplace(std::move(*told));
  log::info("takes log entries", {{"at", std::format("127.0.0.1:{}", server_->port())},
                                  {"keeps", std::to_string(streams_->logs().acknowledged())}});
  return {};
}

Result<> Role::serve(const std::filesystem::path& run_folder) {
  auto server = bus::Server::bind(bus::call_endpoint(run_folder.string(), "telemetry"));
  if (!server) return std::unexpected(server.error());
  bus_.emplace(std::move(*server));
  bus_->handle<v1::HealthRequest, v1::HealthAnswer>(
      "telemetry.Health", [this](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer.set_healthy(true);
        for (const auto& check : checks_of(*streams_))
          if (!check.ok) {
            answer.set_healthy(false);
            answer.set_reason(check.name + ": " + check.detail);
          }
        answer.set_pid(::getpid());
        answer.set_endpoint(std::format("127.0.0.1:{}", server_->port()));
        metrics::tell_circuits(operations_.registry, answer);
        return {};
      });
  bus::serve_log_level(*bus_, "telemetry");
  return {};
}

void Role::run() {
  while (!interrupted()) {
    bus_->serve(kTurn);
    figures_->turn();
    sending_->turn();
    watch_->turn();
  }
}

}  // namespace

Result<> run_telemetry(const Options& options) {
  auto role = Role::create(options);
  if (!role) return std::unexpected(role.error());
  (*role)->run();
  log::info("telemetry ends");
  return {};
}

}  // namespace rltune::collector
