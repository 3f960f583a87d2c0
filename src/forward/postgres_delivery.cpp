#include "postgres_delivery.hpp"

#include <sys/socket.h>

#include <atomic>
#include <cmath>
#include <format>
#include <mutex>
#include <pqxx/pqxx>

#include "log_fields.hpp"
#include "rltune/forward/delivery.hpp"
#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::forward {
namespace {

// The key holds the time as well, because a hypertable's must; a record's id has one time.
constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS rltune_logs (
  time timestamptz NOT NULL, record_id text NOT NULL, site text NOT NULL, service text NOT NULL, level text NOT NULL,
  message text NOT NULL, correlation_id text, attributes jsonb, received timestamptz NOT NULL,
  PRIMARY KEY (record_id, time));
CREATE TABLE IF NOT EXISTS rltune_metrics (
  time timestamptz NOT NULL, record_id text NOT NULL, site text NOT NULL, name text NOT NULL, labels jsonb NOT NULL,
  value double precision NOT NULL, PRIMARY KEY (record_id, time));
CREATE INDEX IF NOT EXISTS rltune_metrics_by_name ON rltune_metrics (name, time DESC);
)";
constexpr const char* kHypertables = R"(
SELECT create_hypertable('rltune_logs', 'time', if_not_exists => true, migrate_data => true);
SELECT create_hypertable('rltune_metrics', 'time', if_not_exists => true, migrate_data => true);
)";
constexpr const char* kInsertLogs = R"(
INSERT INTO rltune_logs (time, record_id, site, service, level, message, correlation_id, attributes, received)
SELECT t::timestamptz, id, site, service, level, message, nullif(correlation, ''), nullif(attributes, '')::jsonb,
       received::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
  AS given (t, id, site, service, level, message, correlation, attributes, received)
ON CONFLICT DO NOTHING)";
constexpr const char* kInsertMetrics = R"(
INSERT INTO rltune_metrics (time, record_id, site, name, labels, value)
SELECT t::timestamptz, id, site, name, labels::jsonb, value::double precision
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS given (t, id, site, name, labels, value)
ON CONFLICT DO NOTHING)";

using Column = std::vector<std::string>;

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return std::format("{}", value);
}

std::string json_of(yyjson_val* value) {
  std::size_t length = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(yyjson_val_write(value, 0, &length), &std::free);
  return text ? std::string(text.get(), length) : std::string();
}

// The table's columns, a text each; what cannot be a row is named.
std::vector<Column> log_columns(const Batch& batch, std::vector<RecordFault>& unfit) {
  std::vector<Column> columns(9);
  for (const Record& record : batch.records) {
    const auto fields = log_fields(record.entry);
    if (!fields) {
      unfit.push_back({record.sequence, fields.error().message});
      continue;
    }
    const std::string attributes = fields->attributes == nullptr ? "" : json_of(fields->attributes);
    const std::array<std::string, 9> row{format_rfc3339(fields->time),
                                         record.id,
                                         record.site,
                                         std::string(fields->service),
                                         std::string(fields->level),
                                         std::string(fields->message),
                                         std::string(fields->correlation_id),
                                         attributes,
                                         format_rfc3339(TimePoint(Duration(record.unix_ns)))};
    for (std::size_t i = 0; i < row.size(); ++i) columns[i].push_back(row[i]);
  }
  return columns;
}

std::vector<Column> metric_columns(const Batch& batch, std::vector<RecordFault>& unfit) {
  std::vector<Column> columns(6);
  for (const Record& record : batch.records) {
    const auto sample = telemetry::parse_metric(record.entry);
    if (!sample) {
      unfit.push_back({record.sequence, sample.error().message});
      continue;
    }
    const Document document = parse_json(record.entry);
    const std::array<std::string, 6> row{format_rfc3339(TimePoint(std::chrono::milliseconds(sample->unix_ms))),
                                         record.id,
                                         record.site,
                                         sample->name,
                                         json_of(field(yyjson_doc_get_root(document.get()), "labels")),
                                         number_text(sample->value)};
    for (std::size_t i = 0; i < row.size(); ++i) columns[i].push_back(row[i]);
  }
  return columns;
}

class PostgresDelivery final : public Delivery {
 public:
  PostgresDelivery(const config::Sink& sink, std::filesystem::path folder, Duration timeout)
      : sink_(sink), folder_(std::move(folder)), timeout_(timeout) {}

  // The connection is shut down below libpq, which then finds it gone.
  void cancel() noexcept override {
    cancelled_ = true;
    const std::scoped_lock lock(mutex_);
    if (connection_) ::shutdown(connection_->sock(), SHUT_RDWR);
  }

  Outcome deliver(const Batch& batch) override {
    if (cancelled_) return {.kind = Outcome::Kind::again, .reason = "cancelled"};
    Outcome outcome;
    const bool logs = batch.stream == "logs";
    const auto columns = logs ? log_columns(batch, outcome.refused) : metric_columns(batch, outcome.refused);
    if (columns[0].empty()) return outcome;
    if (!connection_)
      if (auto connected = try_to_connect(); connected.kind != Outcome::Kind::delivered) return connected;
    try {
      pqxx::params values;
      for (const Column& column : columns) values.append(column);
      pqxx::work work(*connection_);
      work.exec(pqxx::prepped(logs ? "logs" : "metrics"), values);
      work.commit();
      return outcome;
    } catch (const std::exception& error) {
      return failure(error);
    }
  }

 private:
  Outcome try_to_connect() {
    try {
      const auto connected = connect();
      if (connected) return {};
      return {.kind = Outcome::Kind::denied, .reason = connected.error().message};
    } catch (const std::exception& error) {
      Outcome outcome = failure(error);
      // No record has been shown to it yet.
      if (outcome.kind == Outcome::Kind::refused) outcome.kind = Outcome::Kind::again;
      return outcome;
    }
  }

  // Errors: no key. Throws what pqxx does.
  Result<> connect() {
    std::string secret;
    if (sink_.authentication != "none") {
      auto found = secret_of(sink_, folder_);
      if (!found) return std::unexpected(found.error());
      secret = std::move(*found);
    }
    auto connection = std::make_unique<pqxx::connection>(target(secret));
    const auto milliseconds = timeout_ / std::chrono::milliseconds(1);
    pqxx::work setup(*connection);
    setup.exec(std::format("SET statement_timeout = {}; SET client_min_messages = warning", milliseconds));
    // Two that create a table at the same moment hinder one another, "if not exists" or not.
    setup.exec("SELECT pg_advisory_xact_lock(20250825)");
    setup.exec(kTables);
    if (!setup.exec("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").empty()) setup.exec(kHypertables);
    setup.commit();
    connection->prepare("logs", kInsertLogs);
    connection->prepare("metrics", kInsertMetrics);
    const std::scoped_lock lock(mutex_);
    connection_ = std::move(connection);
    return {};
  }

  // libpq's parameters behind those of the URL (libpq, 32.1.2); the password does not go into the text of an error.
  std::string target(const std::string& secret) const {
    const auto seconds = std::max<std::int64_t>(timeout_ / std::chrono::seconds(1), 2);
    std::string url = sink_.url + (sink_.url.contains('?') ? "&" : "?") +
                      std::format("connect_timeout={}&tcp_user_timeout={}&application_name=rltune", seconds,
                                  timeout_ / std::chrono::milliseconds(1));
    const auto add_file = [&](const char* name, const std::filesystem::path& file) {
      if (!file.empty()) url += std::format("&{}={}", name, encoded((folder_ / file).string()));
    };
    if (!sink_.user.empty()) url += "&user=" + encoded(sink_.user);
    add_file("sslrootcert", sink_.ca_file);
    if (!sink_.ca_file.empty() && !url.contains("sslmode=")) url += "&sslmode=verify-full";
    add_file("sslcert", sink_.certificate_file);
    add_file("sslkey", sink_.key_file);
    if (!secret.empty()) url += "&password=" + encoded(secret);
    return url;
  }

  static std::string encoded(const std::string& text) {
    std::string out;
    for (const unsigned char c : text)
      out += std::isalnum(c) != 0 ? std::string(1, static_cast<char>(c)) : std::format("%{:02X}", c);
    return out;
  }

  // By the class of SQLSTATE (PostgreSQL, Appendix A): 22 and 23 are the row's fault; 28, 3D and 42 want a person.
  Outcome failure(const std::exception& error) {
    using Kind = Outcome::Kind;
    Outcome outcome{.kind = Kind::again, .reason = first_line(error.what())};
    if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error)) {
      const std::string state = sql->sqlstate().substr(0, 2);
      if (state == "22" || state == "23") outcome.kind = Kind::refused;
      if (state == "28" || state == "3D" || state == "42") outcome.kind = Kind::denied;
    }
    const bool stays = outcome.kind == Kind::refused;
    const std::scoped_lock lock(mutex_);
    if (!stays) connection_.reset();
    if (outcome.reason.contains("authentication failed")) outcome.kind = Kind::denied;
    return outcome;
  }

  static std::string first_line(std::string text) {
    text.resize(std::min(text.find('\n'), text.size()));
    return text;
  }

  const config::Sink sink_;
  const std::filesystem::path folder_;
  const Duration timeout_;
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;  // of the pointer: cancel() is another thread's
  std::unique_ptr<pqxx::connection> connection_;
};

}  // namespace

std::unique_ptr<Delivery> make_postgres_delivery(const config::Sink& sink, const std::filesystem::path& folder,
                                                 Duration timeout) {
  return std::make_unique<PostgresDelivery>(sink, folder, timeout);
}

}  // namespace rltune::forward
