// Every field of users.yaml, retention.yaml, alerts.yaml and telemetry.yaml, once; field_types.hpp says how.
#pragma once

#include <array>

#include "field_types.hpp"
#include "rltune/config/alerts.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/config/users.hpp"

namespace rltune::config {

inline constexpr std::array kUsersSchemas{Synonym{"rltune/users/v1", "rltune/users/v1"}};
inline constexpr std::array kRetentionSchemas{Synonym{"rltune/retention/v1", "rltune/retention/v1"},
                                              Synonym{"rltune/retention/v2", "rltune/retention/v2"}};
inline constexpr std::array kAlertsSchemas{Synonym{"rltune/alerts/v1", "rltune/alerts/v1"},
                                           Synonym{"rltune/alerts/v2", "rltune/alerts/v2"}};
inline constexpr std::array kTelemetrySchemas{Synonym{"rltune/telemetry/v1", "rltune/telemetry/v1"},
                                              Synonym{"rltune/telemetry/v2", "rltune/telemetry/v2"}};

inline constexpr std::array kUserRoles{Synonym{"viewer", "viewer"},       Synonym{"operator", "operator"},
                                       Synonym{"engineer", "engineer"},   Synonym{"admin", "admin"},
                                       Synonym{"administrator", "admin"}, Synonym{"service", "service"}};
inline constexpr std::array kChannelKinds{Synonym{"log", "log"}, Synonym{"webhook", "webhook"},
                                          Synonym{"email", "email"}, Synonym{"pagerduty", "pagerduty"}};
inline constexpr std::array kAlertFigures{Synonym{"value", "value"}, Synonym{"age", "age"}, Synonym{"rate", "rate"},
                                          Synonym{"increase", "increase"}, Synonym{"ratio", "ratio"}};
inline constexpr std::array kAlertWords{Synonym{"above", "above"}, Synonym{"below", "below"},
                                        Synonym{"absent", "absent"}};
inline constexpr std::array kSeverities{Synonym{"info", "info"}, Synonym{"warning", "warning"},
                                        Synonym{"error", "error"}, Synonym{"critical", "critical"}};
inline constexpr std::array kLevels{Synonym{"DEBUG", "DEBUG"}, Synonym{"INFO", "INFO"}, Synonym{"WARNING", "WARNING"},
                                    Synonym{"ERROR", "ERROR"}, Synonym{"CRITICAL", "CRITICAL"}};
inline constexpr std::array kSinkKinds{Synonym{"gateway", "gateway"},
                                       Synonym{"opensearch", "opensearch"},
                                       Synonym{"remote_write", "remote_write"},
                                       Synonym{"influx", "influx"},
                                       Synonym{"otlp", "otlp"},
                                       Synonym{"postgres", "postgres"}};
inline constexpr std::array kAuthentications{Synonym{"none", "none"}, Synonym{"api_key", "api_key"},
                                             Synonym{"bearer", "bearer"}, Synonym{"basic", "basic"},
                                             Synonym{"sigv4", "sigv4"}};
inline constexpr Bounds kDays{.low = 0, .high = 36600, .low_open = true};
inline constexpr Bounds kKept{.low = 0, .high = 10000};

template <typename Visitor>
void describe(Visitor& v, User& user) {
  v.text("name", user.name, Need::required, "as it stands in the audit: letters, digits, '-' and '_'");
  v.text("full_name", user.full_name, Need::optional, "for people");
  v.word("role", user.role, kUserRoles, "each may what those before it may; service: a program, see docs/gateway.md");
  v.flag("enabled", user.enabled, "false: may not sign in, and stays in the record");
  v.secret_file("password_hash_file", user.password_hash_file, "file with the argon2id hash of the password");
  v.secret_file("totp_secret_file", user.totp_secret_file,
                "file with the secret of the second factor, in base32; none: the password alone signs in");
}

template <typename Visitor>
void describe(Visitor& v, SignIn& sign_in) {
  v.number("session_hours", sign_in.session_hours, Bounds{.low = 0.1, .high = 720}, Need::optional,
           "a session ends after so long");
  v.count("attempts_max", sign_in.attempts_max, Bounds{.low = 1, .high = 100},
          "wrong passwords in a row before the user is locked out");
  v.number("lockout_minutes", sign_in.lockout_minutes, Bounds{.low = 0.1, .high = 10080}, Need::optional,
           "how long a lockout lasts");
}

template <typename Visitor>
void describe(Visitor& v, OAuth& oauth) {
  v.text("issuer", oauth.issuer, Need::required, "https://..., the OpenID Connect issuer");
  v.text("client_id", oauth.client_id, Need::required, "what this installation is called there");
  v.secret_file("client_secret_file", oauth.client_secret_file, "file that holds the client's secret");
  v.secret_variable("client_secret_env", oauth.client_secret_env, "environment variable that holds it");
  v.text("user_claim", oauth.user_claim, Need::optional, "claim that holds the user's name");
  v.text("scopes", oauth.scopes, Need::optional, "what is asked for, with openid among it");
  v.text("public_url", oauth.public_url, Need::optional,
         "https://host:port, as browsers reach the gateway; missing: https://localhost with the gateway's port");
  v.path("ca_file", oauth.ca_file, Need::optional, "certificate authority of a provider of one's own, PEM");
  v.text_list("required_acr", oauth.required_acr, Need::optional,
              "how strongly the provider has to have signed a user in: one of these is the token's acr");
  v.text_list("required_amr", oauth.required_amr, Need::optional,
              "and by what: each of these is in the token's amr, such as mfa or otp");
}

template <typename Visitor>
void describe(Visitor& v, Users& users) {
  v.schema(users.schema, kUsersSchemas);
  v.list("users", users.users, Need::required, "who may sign in at the gateway");
  v.object("sign_in", users.sign_in, Need::optional, "sessions and wrong passwords");
  v.optional("oauth", users.oauth, "sign in with a server that speaks OpenID Connect");
}

template <typename Visitor>
void describe(Visitor& v, BackupRetention& backups) {
  if (v.since(2, "newest")) v.count("newest", backups.newest, kKept, "so many are kept whatever their day");
  v.count("daily", backups.daily, kKept, "the newest of each of so many days are kept");
  v.count("weekly", backups.weekly, kKept, "and of so many weeks");
  v.count("monthly", backups.monthly, kKept, "and of so many months");
}

template <typename Visitor>
void describe(Visitor& v, Retention& retention) {
  v.schema(retention.schema, kRetentionSchemas);
  v.number("decisions_days", retention.decisions_days, kDays, Need::optional,
           "files of decisions are kept so long after their last one; the newest stays");
  v.number("audit_days", retention.audit_days, Bounds{.low = 365, .high = 36600}, Need::optional,
           "audit records are kept so long, a year at least; whole days go, and the log says from where it holds");
  v.number("logs_days", retention.logs_days, kDays, Need::optional, "the roles' log files are kept so long");
  v.number("logs_max_mb", retention.logs_max_mb, Bounds{.low = 1, .high = 1e6}, Need::optional,
           "and no more of them than this, all roles together");
  v.count("checkpoints", retention.checkpoints, Bounds{.low = 1, .high = 10000},
          "so many of the newest checkpoints of each learner are kept");
  v.number("free_min_gb", retention.free_min_gb, Bounds{.low = 0, .high = 1e6}, Need::optional,
           "with less free on their disk, or a tenth of a small one, the oldest log files go; an alarm comes before");
  v.object("backups", retention.backups, Need::optional,
           "what `rltune backup create --every` keeps, here and where copies go");
}

template <typename Visitor>
void describe(Visitor& v, Channel& channel) {
  v.text("name", channel.name, Need::required, "what alerts call it");
  v.word("kind", channel.kind, kChannelKinds, "how the person is reached");
  v.text("url", channel.url, Need::optional,
         "webhook: https://...; email: smtps://host:port, or smtp://host:port with STARTTLS; pagerduty: its own where "
         "none is given");
  v.text_list("to", channel.to, Need::optional, "email: addresses");
  v.text("user", channel.user, Need::optional, "for the server, where it asks for one");
  v.secret_file("password_file", channel.password_file, "file that holds its password");
  v.secret_variable("password_env", channel.password_env, "environment variable that holds it");
  if (v.since(2, "from"))
    v.text("from", channel.from, Need::optional,
           "email: the sender; the user, or the first of 'to', where none is given");
  if (v.since(2, "signing_key_file"))
    v.secret_file("signing_key_file", channel.signing_key_file,
                  "webhook: file with the key of the HMAC-SHA256 that each message then carries");
  if (v.since(2, "signing_key_env"))
    v.secret_variable("signing_key_env", channel.signing_key_env, "environment variable that holds it");
  if (v.since(2, "routing_key_file"))
    v.secret_file("routing_key_file", channel.routing_key_file, "pagerduty: file with the integration's routing key");
  if (v.since(2, "routing_key_env"))
    v.secret_variable("routing_key_env", channel.routing_key_env, "environment variable that holds it");
  if (v.since(2, "ca_file"))
    v.path("ca_file", channel.ca_file, Need::optional, "certificate authority of a server of one's own, PEM");
}

template <typename Visitor>
void describe(Visitor& v, LogMatch& log) {
  v.text("service", log.service, Need::optional, "only entries of this service");
  v.word("level", log.level, kLevels, "of this level or worse");
  v.text("contains", log.contains, Need::optional, "only where this stands in the message");
}

template <typename Visitor>
void describe(Visitor& v, Alert& alert) {
  v.text("name", alert.name, Need::required, "as it stands in the message");
  const bool has_log = v.since(2, "log");
  v.text("metric", alert.metric, has_log ? Need::optional : Need::required, "a family of /metrics");
  if (has_log) v.optional("log", alert.log, "instead of a metric: log entries, so many within window_s");
  v.text_map("labels", alert.labels, "only series that carry all of these");
  if (v.since(2, "of"))
    v.word("of", alert.of, kAlertFigures,
           "what of the series: age, in seconds, of a time that it tells; rate a second, or increase, within window_s; "
           "ratio: increase by that of 'per'");
  if (v.since(2, "per")) v.text("per", alert.per, Need::optional, "ratio: the metric that 'metric' is a part of");
  if (v.since(2, "window_s"))
    v.number("window_s", alert.window_s, Bounds{.low = 10, .high = 86400}, Need::optional,
             "how far rate, increase, ratio and log look back");
  v.word("when", alert.when, kAlertWords, "absent: no such series, or log entry, was reported");
  v.number("limit", alert.limit, kAny, Need::optional, "what above and below compare with");
  v.number("for_s", alert.for_s, Bounds{.low = 0, .high = 604800}, Need::optional,
           "it must have been so for this long");
  if (v.since(2, "hysteresis"))
    v.number("hysteresis", alert.hysteresis, kNotNegative, Need::optional,
             "it ends when the figure is so far on the other side of the limit");
  if (v.since(2, "clear_for_s"))
    v.number("clear_for_s", alert.clear_for_s, Bounds{.low = 0, .high = 604800}, Need::optional,
             "and has been for this long");
  v.word("severity", alert.severity, kSeverities, "how bad it is");
  v.text_list("channels", alert.channels, Need::required, "who is told");
  v.number("repeat_minutes", alert.repeat_minutes, Bounds{.low = 1, .high = 100000}, Need::optional,
           "told again after so long, while it lasts and nobody has acknowledged it");
  if (v.since(2, "action"))
    v.text("action", alert.action, Need::optional, "what to do first; it stands in the message");
}

template <typename Visitor>
void describe(Visitor& v, Alerts& alerts) {
  v.schema(alerts.schema, kAlertsSchemas);
  v.list("channels", alerts.channels, Need::required, "ways to reach a person");
  v.list("alerts", alerts.alerts, Need::required, "what calls for one");
}

template <typename Visitor>
void describe(Visitor& v, Traces& traces) {
  v.flag("enabled", traces.enabled, "record OpenTelemetry traces of decisions and calls");
  v.text("url", traces.url, Need::optional, "where to: OTLP over HTTP, as every collector takes it");
  v.path("folder", traces.folder, Need::optional, "of the site; they are written there instead: OTLP as JSON");
  v.number("folder_max_mb", traces.folder_max_mb, Bounds{.low = 1, .high = 1e6}, Need::optional,
           "of each role, the oldest go first");
  v.number("sample_ratio", traces.sample_ratio, Bounds{.low = 0, .high = 1}, Need::optional,
           "part of the decisions and calls that is traced");
}

template <typename Visitor>
void describe(Visitor& v, Forward& forward) {
  v.flag("enabled", forward.enabled, "send logs and figures to one gateway; `sinks` can say more");
  v.text("url", forward.url, Need::optional, "https://...");
  v.secret_file("token_file", forward.token_file, "file that holds the token for it");
  v.secret_variable("token_env", forward.token_env, "environment variable that holds it");
  v.number("interval_s", forward.interval_s, Bounds{.low = 1, .high = 86400}, Need::optional,
           "the longest that a record waits for others to be sent with");
  v.number("buffer_max_mb", forward.buffer_max_mb, Bounds{.low = 1, .high = 1e6}, Need::optional,
           "of older versions; what waits is kept as `collect` says");
}

template <typename Visitor>
void describe(Visitor& v, Collect& collect) {
  v.flag("enabled", collect.enabled,
         "keep the roles' logs and figures on this host, in storage.folder, to read and to forward");
  v.count("port", collect.port, Bounds{.low = 0, .high = 65535},
          "of POST /v1/logs on this host; 0: one that is free, which the run folder's telemetry.json names");
  v.secret_file("token_file", collect.token_file,
                "file with the token that senders show; empty: one made at each start");
  v.number("retention_days", collect.retention_days, kDays, Need::optional, "records are kept so long");
  v.number("retention_gb", collect.retention_gb, Bounds{.low = 0.01, .high = 1e6}, Need::optional,
           "and no more of them than this, of logs and figures each; what goes unsent is counted");
  v.number("free_min_gb", collect.free_min_gb, Bounds{.low = 0, .high = 1e6}, Need::optional,
           "with less free on their disk senders are told to wait; an alarm comes at twice as much");
}

template <typename Visitor>
void describe(Visitor& v, ScrapeTarget& target) {
  v.text("name", target.name, Need::required, "label `instance` of what it reports");
  v.text("url", target.url, Need::required, "http://127.0.0.1:9100/metrics");
}

template <typename Visitor>
void describe(Visitor& v, Polling& metrics) {
  v.flag("enabled", metrics.enabled, "ask every role for its figures");
  v.number("every_s", metrics.every_s, Bounds{.low = 1, .high = 3600}, Need::optional, "time between two askings");
  v.flag("plant", metrics.plant, "the plant's samples as well, as averages of a minute");
  v.list("targets", metrics.targets, Need::optional, "others that report as Prometheus takes it");
}

template <typename Visitor>
void describe(Visitor& v, Sink& sink) {
  v.text("name", sink.name, Need::required, "what figures and messages call it; its progress is kept under this name");
  v.word("kind", sink.kind, kSinkKinds, "what is spoken there");
  v.text("url", sink.url, Need::required, "https://..., or http:// on this host; postgres: postgresql://host/database");
  v.text_list("streams", sink.streams, Need::optional, "logs, metrics; empty: what its kind takes");
  v.word("authentication", sink.authentication, kAuthentications, "how we show who we are");
  v.text("user", sink.user, Need::optional, "basic: the user; sigv4: the access key's id");
  v.secret_file("secret_file", sink.secret_file, "file that holds the key, token, password or secret access key");
  v.secret_variable("secret_env", sink.secret_env, "environment variable that holds it");
  v.text("api_key_header", sink.api_key_header, Need::optional, "api_key: the header that carries it");
  v.text("region", sink.region, Need::optional, "sigv4: eu-central-1");
  v.text("service", sink.service, Need::optional, "sigv4: es, aps, execute-api, timestream");
  v.text("index", sink.index, Need::optional, "opensearch: the index or data stream");
  v.path("ca_file", sink.ca_file, Need::optional,
         "PEM of the authority that its certificate comes from; empty: the host's");
  v.path("certificate_file", sink.certificate_file, Need::optional,
         "PEM of our own certificate, where it asks for one");
  v.secret_file("key_file", sink.key_file, "PEM of that certificate's key");
  v.flag("compress", sink.compress, "gzip; remote_write is always compressed");
  v.number("batch_max_kb", sink.batch_max_kb, Bounds{.low = 1, .high = 4096}, Need::optional,
           "of records in one request, before compression");
  v.number("interval_s", sink.interval_s, Bounds{.low = 0.1, .high = 86400}, Need::optional,
           "the longest that a record waits for others to be sent with");
}

template <typename Visitor>
void describe(Visitor& v, Telemetry& telemetry) {
  v.schema(telemetry.schema, kTelemetrySchemas);
  v.word("level", telemetry.level, kLevels, "logs of this level and above are written; taken over as the roles run");
  v.text_map("levels", telemetry.levels,
             "by kind of role (keeper, coredinator, io, agent, learner, telemetry), where it differs: {io: DEBUG}");
  v.object("traces", telemetry.traces, Need::optional, "calls across the roles");
  v.object("forward", telemetry.forward, Need::optional, "one gateway to send to, in short");
  if (v.since(2, "collect")) v.object("collect", telemetry.collect, Need::optional, "the buffer on this host");
  if (v.since(2, "metrics")) v.object("metrics", telemetry.metrics, Need::optional, "figures that are asked for");
  if (v.since(2, "sinks")) v.list("sinks", telemetry.sinks, Need::optional, "where logs and figures are sent");
}

}  // namespace rltune::config
