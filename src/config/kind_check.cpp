#include "kind_check.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <format>
#include <set>
#include <span>
#include <string_view>

#include "kind_fields.hpp"
#include "rltune/base/metric_name.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

// Of a site: a twin is none of its roles.
constexpr std::array<std::string_view, 7> kRoleKinds{"keeper",  "coredinator", "io",     "agent",
                                                     "learner", "telemetry",   "gateway"};

// A name that stands once in its list; faults where it is odd or given twice.
void check_name(const std::string& path, const std::string& name, std::set<std::string>& seen, Faults& faults) {
  if (name.empty()) return;
  if (!is_identifier(name))
    faults.add(path, std::format("'{}' may hold letters, digits, '-' and '_' only", shown(name)));
  if (!seen.insert(name).second) faults.add(path, std::format("'{}' is given twice", shown(name)));
}

// At most one of a reference to a file and one to a variable, and one of them where `needed`.
void check_reference(const std::string& path, std::string_view what, const std::filesystem::path& file,
                     const std::string& variable, bool needed, Faults& faults) {
  if (!file.empty() && !variable.empty())
    faults.add(std::format("{}.{}_env", path, what), std::format("give {0}_file or {0}_env, not both", what));
  const bool faulty =
      faults.faulty(std::format("{}.{}_file", path, what)) || faults.faulty(std::format("{}.{}_env", path, what));
  if (needed && !faulty && file.empty() && variable.empty())
    faults.add(path, std::format("needs a {0}_file or a {0}_env", what));
}

void check_url(const std::string& path, const std::string& url, std::string_view scheme, Faults& faults) {
  if (faults.faulty(path)) return;
  if (!url.starts_with(scheme) || url.size() == scheme.size())
    faults.add(path, std::format("must read {}host..., and not '{}'", scheme, shown(url)));
}

bool on_this_host(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return false;
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find_first_of("/?#"));
  if (const std::size_t colon = host.rfind(':'); colon != host.npos && host.find(']', colon) == host.npos)
    host = host.substr(0, colon);
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos;
}

void check_channel_url(const std::string& path, const Channel& channel, Faults& faults) {
  if (channel.kind == "log" && !channel.url.empty()) faults.add(path, "is of no use with kind: log");
  if (channel.kind == "email" && !channel.url.starts_with("smtp://")) check_url(path, channel.url, "smtps://", faults);
  const bool own = channel.kind == "pagerduty" && channel.url.empty();
  if ((channel.kind == "webhook" || channel.kind == "pagerduty") && !own && !on_this_host(channel.url))
    check_url(path, channel.url, "https://", faults);
}

bool is_address(const std::string& text) {
  return text.contains('@') && text.find_first_of(" \t\r\n,<>\"") == std::string::npos;
}

void check_email(const std::string& path, const Channel& channel, Faults& faults) {
  const bool email = channel.kind == "email";
  if (email && channel.to.empty()) faults.add(path, "kind: email needs 'to', the addresses");
  if (!email && !channel.to.empty()) faults.add(path + ".to", "is for kind: email only");
  if (!email && !channel.from.empty()) faults.add(path + ".from", "is for kind: email only");
  if (!channel.from.empty() && !is_address(channel.from))
    faults.add(path + ".from", std::format("'{}' is not an address", shown(channel.from)));
  for (std::size_t i = 0; i < channel.to.size(); ++i)
    if (!is_address(channel.to[i]))
      faults.add(std::format("{}.to[{}]", path, i), std::format("'{}' is not an address", shown(channel.to[i])));
}

void check_channel(const std::string& path, const Channel& channel, Faults& faults) {
  check_channel_url(path + ".url", channel, faults);
  check_email(path, channel, faults);
  const bool signs = !channel.signing_key_file.empty() || !channel.signing_key_env.empty();
  const bool routes = !channel.routing_key_file.empty() || !channel.routing_key_env.empty();
  if (signs && channel.kind != "webhook") faults.add(path, "a signing_key is for kind: webhook only");
  if (routes && channel.kind != "pagerduty") faults.add(path, "a routing_key is for kind: pagerduty only");
  check_reference(path, "password", channel.password_file, channel.password_env, !channel.user.empty(), faults);
  check_reference(path, "signing_key", channel.signing_key_file, channel.signing_key_env, false, faults);
  check_reference(path, "routing_key", channel.routing_key_file, channel.routing_key_env, channel.kind == "pagerduty",
                  faults);
}

// What a rule looks at: a metric or log entries, and which figure of it.
void check_subject(const std::string& path, const Alert& alert, Faults& faults) {
  if (!alert.metric.empty() && !is_metric_name(alert.metric))
    faults.add(path + ".metric", std::format("'{}' is not the name of a metric", shown(alert.metric)));
  if (alert.metric.empty() && !alert.log && !faults.faulty(path + ".metric") && !faults.faulty(path + ".log"))
    faults.add(path, "needs a 'metric' or a 'log'");
  if (alert.log && !alert.metric.empty()) faults.add(path + ".log", "give 'metric' or 'log', not both");
  if (alert.log && faults.has(path + ".labels")) faults.add(path + ".labels", "is of no use with 'log'");
  if (alert.log && alert.of != "value") faults.add(path + ".of", "is of no use with 'log': entries are counted");
  if (alert.when == "absent" && alert.of != "value") faults.add(path + ".of", "is of no use with when: absent");
  if ((alert.of == "ratio") == alert.per.empty())
    faults.add(path,
               alert.per.empty() ? "of: ratio needs 'per', the metric to compare with" : "'per' is for of: ratio only");
  if (!alert.per.empty() && !is_metric_name(alert.per))
    faults.add(path + ".per", std::format("'{}' is not the name of a metric", shown(alert.per)));
  const bool looks_back = (alert.log && alert.when != "absent") || (alert.of != "value" && alert.of != "age");
  if (!looks_back && faults.has(path + ".window_s"))
    faults.add(path + ".window_s", "is for rate, increase, ratio and log; 'for_s' says how long it must be so");
  for (const auto& [label, value] : alert.labels)
    if (!is_label_name(label))
      faults.add(std::format("{}.labels.{}", path, shown(label)),
                 std::format("'{}' is not the name of a label", shown(label)));
}

void check_limit(const std::string& path, const Alert& alert, Faults& faults) {
  const bool absent = alert.when == "absent";
  if (!absent && !faults.has(path + ".limit")) faults.add(path, "needs 'limit', to compare with");
  for (const char* field : {".limit", ".hysteresis"})
    if (absent && faults.has(path + field)) faults.add(path + field, "is of no use with when: absent");
}

void check_sink_url(const std::string& path, const Sink& sink, Faults& faults) {
  if (sink.kind == "postgres") {
    if (!sink.url.starts_with("postgresql://") || sink.url == "postgresql://")
      faults.add(path, std::format("must read postgresql://host/database, and not '{}'", shown(sink.url)));
  } else if (!on_this_host(sink.url)) {
    check_url(path, sink.url, "https://", faults);
  }
}

// What each kind can take.
std::span<const std::string_view> streams_of(std::string_view kind) {
  static constexpr std::array<std::string_view, 2> kBoth{"logs", "metrics"};
  if (kind == "opensearch") return std::span(kBoth).first(1);
  if (kind == "remote_write" || kind == "influx") return std::span(kBoth).last(1);
  return kBoth;
}

void check_sink_identity(const std::string& path, const Sink& sink, Faults& faults) {
  const bool needs_user = sink.authentication == "basic" || sink.authentication == "sigv4";
  if (needs_user && sink.user.empty())
    faults.add(path, std::format("authentication: {} needs 'user'", sink.authentication));
  if (sink.authentication == "sigv4" && (sink.region.empty() || sink.service.empty()))
    faults.add(path, "authentication: sigv4 needs 'region' and 'service'");
  check_reference(path, "secret", sink.secret_file, sink.secret_env, sink.authentication != "none", faults);
  if (sink.certificate_file.empty() != sink.key_file.empty() && !faults.faulty(path + ".key_file"))
    faults.add(path, "give certificate_file and key_file together");
}

void check_sink(const std::string& path, const Sink& sink, Faults& faults) {
  check_sink_url(path + ".url", sink, faults);
  const auto known = streams_of(sink.kind);
  for (std::size_t i = 0; i < sink.streams.size(); ++i)
    if (std::ranges::find(known, sink.streams[i]) == known.end())
      faults.add(
          std::format("{}.streams[{}]", path, i),
          std::format("'{}' is not one of what kind: {} takes: {}", shown(sink.streams[i]), sink.kind, list_of(known)));
  check_sink_identity(path, sink, faults);
}

void check_sinks(const Telemetry& telemetry, Faults& faults) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < telemetry.sinks.size(); ++i) {
    const std::string path = std::format("sinks[{}]", i);
    check_name(path + ".name", telemetry.sinks[i].name, names, faults);
    check_sink(path, telemetry.sinks[i], faults);
  }
  if (telemetry.forward.enabled && names.contains("forward"))
    faults.add("sinks", "'forward' is what the group `forward` is called; name it otherwise");
}

void check_targets(const Polling& metrics, Faults& faults) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < metrics.targets.size(); ++i) {
    const std::string path = std::format("metrics.targets[{}]", i);
    check_name(path + ".name", metrics.targets[i].name, names, faults);
    const std::string& url = metrics.targets[i].url;
    if (!url.starts_with("http://") && !url.starts_with("https://"))
      faults.add(path + ".url", std::format("must start with http:// or https://, and not '{}'", shown(url)));
  }
}

}  // namespace

void check_users(const Users& users, Faults& faults) {
  std::set<std::string> names;
  bool administered = false, faulty_role = false;
  for (std::size_t i = 0; i < users.users.size(); ++i) {
    const User& user = users.users[i];
    const std::string path = std::format("users[{}]", i);
    check_name(path + ".name", user.name, names, faults);
    if (user.name == kBreakGlassUser)
      faults.add(path + ".name",
                 std::format("'{}' is the account for emergencies, which stands in no file", user.name));
    administered = administered || (user.enabled && user.role == "admin");
    faulty_role = faulty_role || faults.faulty(path + ".role") || faults.faulty(path + ".enabled");
    if (!users.oauth && user.password_hash_file.empty() && !faults.faulty(path + ".password_hash_file"))
      faults.add(path, "needs a password_hash_file: without oauth there is no other way to sign in");
  }
  if (!administered && !faulty_role && faults.has("users"))
    faults.add("users", "one that is enabled must be admin: nobody could change a user any more");
  if (!users.oauth) return;
  if (!users.oauth->issuer.empty()) check_url("oauth.issuer", users.oauth->issuer, "https://", faults);
  if (!users.oauth->public_url.empty()) check_url("oauth.public_url", users.oauth->public_url, "https://", faults);
  if (users.oauth->public_url.ends_with('/'))
    faults.add("oauth.public_url", "ends with the port, or with the host's name, and without '/'");
  if (!(" " + users.oauth->scopes + " ").contains(" openid "))
    faults.add("oauth.scopes", "has to hold 'openid': without it the provider tells nothing of the user");
  for (const auto* required : {&users.oauth->required_acr, &users.oauth->required_amr})
    for (const std::string& word : *required)
      if (word.empty() || word.contains(' '))
        faults.add(required == &users.oauth->required_acr ? "oauth.required_acr" : "oauth.required_amr",
                   "holds words without blanks");
  check_reference("oauth", "client_secret", users.oauth->client_secret_file, users.oauth->client_secret_env, true,
                  faults);
}

void check_alerts(const Alerts& alerts, Faults& faults) {
  std::set<std::string> channels, names;
  for (std::size_t i = 0; i < alerts.channels.size(); ++i) {
    const std::string path = std::format("channels[{}]", i);
    check_name(path + ".name", alerts.channels[i].name, channels, faults);
    check_channel(path, alerts.channels[i], faults);
  }
  const std::vector<std::string_view> known(channels.begin(), channels.end());
  for (std::size_t i = 0; i < alerts.alerts.size(); ++i) {
    const Alert& alert = alerts.alerts[i];
    const std::string path = std::format("alerts[{}]", i);
    check_name(path + ".name", alert.name, names, faults);
    check_subject(path, alert, faults);
    check_limit(path, alert, faults);
    if (alert.channels.empty() && faults.has(path + ".channels"))
      faults.add(path + ".channels", "must name at least one channel");
    for (std::size_t j = 0; j < alert.channels.size(); ++j)
      if (!channels.contains(alert.channels[j]))
        faults.add(
            std::format("{}.channels[{}]", path, j),
            std::format("there is no channel '{}'{}", shown(alert.channels[j]), suggest(alert.channels[j], known)));
  }
}

void check_telemetry(const Telemetry& telemetry, Faults& faults) {
  for (const auto& [role, level] : telemetry.levels) {
    const std::string path = std::format("levels.{}", shown(role));
    if (std::ranges::find(kRoleKinds, role) == kRoleKinds.end())
      faults.add(path, std::format("there is no role '{}'; there are {}", shown(role), list_of(kRoleKinds)));
    if (std::ranges::find(kLevels, level, &Synonym::text) == kLevels.end())
      faults.add(path, std::format("'{}' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL", shown(level)));
  }
  if (!telemetry.traces.url.starts_with("http://") && !telemetry.traces.url.starts_with("https://"))
    faults.add("traces.url", "must start with http:// or https://");
  check_sinks(telemetry, faults);
  check_targets(telemetry.metrics, faults);
  const Forward& forward = telemetry.forward;
  if (!forward.enabled) return;
  check_url("forward.url", forward.url, "https://", faults);
  check_reference("forward", "token", forward.token_file, forward.token_env, true, faults);
}

}  // namespace rltune::config
