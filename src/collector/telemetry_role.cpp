#include "rltune/collector/telemetry_role.hpp"

#include <unistd.h>

#include <format>

#include "announcement.hpp"
#include "doors.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/site.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/tracing/site_telemetry.hpp"
#include "rltune/v1/supervision.pb.h"
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

// Everything the role owns, in the order in which it must be built and go away.
class Role {
 public:
  static Result<std::unique_ptr<Role>> create(const Options& options);
  void run();

 private:
  Role(config::Site site, config::Telemetry telemetry, const std::filesystem::path& run_folder)
      : site_(std::move(site)),
        telemetry_(std::move(telemetry)),
        operations_("telemetry", clock_),
        tells_({.folder = site_.folder, .run_folder = run_folder, .site = site_.name, .role = "telemetry"},
               operations_.registry) {}

  Result<> open(const std::filesystem::path& run_folder);
  Result<> listen(const std::filesystem::path& run_folder);
  Result<> serve(const std::filesystem::path& run_folder);

  const config::Site site_;
  const config::Telemetry telemetry_;
  WallClock clock_;
  metrics::Operations operations_;
  std::optional<Streams> streams_;
  std::optional<StreamFigures> figures_;
  std::optional<webserver::Server> server_;
  std::optional<Announcement> announcement_;
  tracing::SiteTelemetry tells_;
  bus::Context context_;
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

Result<> Role::open(const std::filesystem::path& run_folder) {
  const auto folder = site_.folder / site_.storage.folder / "telemetry";
  auto streams = Streams::open(folder, telemetry_.collect, clock_, operations_.registry);
  if (!streams) return std::unexpected(streams.error());
  streams_.emplace(std::move(*streams));
  figures_.emplace(*streams_, operations_.registry);
  const telemetry::Retention retention{.bytes_max = static_cast<std::uint64_t>(telemetry_.collect.retention_gb * 1e9),
                                       .age_max = from_seconds(86'400.0 * telemetry_.collect.retention_days)};
  streams_->logs().retain(retention);
  streams_->metrics().retain(retention);
  if (auto done = listen(run_folder); !done) return done;
  return serve(run_folder);
}

Result<> Role::listen(const std::filesystem::path& run_folder) {
  auto token = token_of(site_.folder, telemetry_.collect);
  if (!token) return std::unexpected(token.error());
  auto server = webserver::Server::start(
      {.port = static_cast<std::uint16_t>(telemetry_.collect.port), .scratch = run_folder / "telemetry.web"},
      routes({*streams_, operations_.registry}, *token));
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
  auto server = bus::Server::bind(context_, bus::call_endpoint(run_folder.string(), "telemetry"));
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
