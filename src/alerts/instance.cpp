#include "rltune/alerts/instance.hpp"

#include "instance_json.hpp"

namespace rltune::alerts {

const char* to_string(NoticeKind kind) noexcept {
  switch (kind) {
    case NoticeKind::firing:
      return "firing";
    case NoticeKind::repeated:
      return "repeated";
    case NoticeKind::acknowledged:
      return "acknowledged";
    case NoticeKind::resolved:
      return "resolved";
    case NoticeKind::test:
      break;
  }
  return "test";
}

const char* to_string(State state) noexcept { return state == State::firing ? "firing" : "pending"; }

Json json_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return value;
}

Json json_of(const Acknowledgement& acknowledgement) {
  Json json{{"who", acknowledgement.who}, {"why", acknowledgement.why}, {"at", format_rfc3339(acknowledgement.at)}};
  if (acknowledgement.until) json["until"] = format_rfc3339(*acknowledgement.until);
  return json;
}

Json json_of(const Instance& instance) {
  Json json{{"id", instance.id},
            {"rule", instance.rule},
            {"state", to_string(instance.state)},
            {"severity", instance.severity},
            {"summary", instance.summary},
            {"labels", instance.labels},
            {"value", json_of(instance.value)},
            {"since", format_rfc3339(instance.since)},
            {"channels", instance.channels}};
  if (!instance.action.empty()) json["action"] = instance.action;
  if (instance.state == State::firing) {
    json["fired"] = format_rfc3339(instance.fired);
    json["told"] = format_rfc3339(instance.told);
  }
  if (instance.clear_since) json["clear_since"] = format_rfc3339(*instance.clear_since);
  if (instance.acknowledged) json["acknowledged"] = json_of(*instance.acknowledged);
  return json;
}

Json json_of(const Notice& notice) {
  Json json{{"number", notice.number},
            {"kind", to_string(notice.kind)},
            {"key", notice.key},
            {"site", notice.site},
            {"rule", notice.rule},
            {"severity", notice.severity},
            {"summary", notice.summary},
            {"labels", notice.labels},
            {"value", json_of(notice.value)},
            {"fired", format_rfc3339(notice.fired)},
            {"at", format_rfc3339(notice.at)},
            {"channel", notice.channel}};
  if (!notice.action.empty()) json["action"] = notice.action;
  if (notice.acknowledged) json["acknowledged"] = json_of(*notice.acknowledged);
  return json;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string to_json(const Instance& instance) { return text_of(json_of(instance)); }
std::string to_json(const Notice& notice) { return text_of(json_of(notice)); }

namespace {

TimePoint time_of(const Json& json) {
  const auto time = parse_rfc3339(json.get<std::string>());
  if (!time) throw Json::other_error::create(599, time.error().message, nullptr);
  return *time;
}

}  // namespace

double double_of(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const std::string& word = json.get_ref<const std::string&>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return word == "+Inf" ? kInfinity : word == "-Inf" ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
}

Acknowledgement acknowledgement_of(const Json& json) {
  Acknowledgement acknowledgement{json.at("who"), json.at("why"), time_of(json.at("at")), {}};
  if (json.contains("until")) acknowledgement.until = time_of(json["until"]);
  return acknowledgement;
}

Instance instance_of(const Json& json) {
  Instance instance{.id = json.at("id"),
                    .rule = json.at("rule"),
                    .labels = json.at("labels"),
                    .severity = json.at("severity"),
                    .summary = json.at("summary"),
                    .action = json.value("action", ""),
                    .channels = json.at("channels"),
                    .state = json.at("state") == "firing" ? State::firing : State::pending,
                    .value = double_of(json.at("value")),
                    .since = time_of(json.at("since")),
                    .clear_since = {},
                    .acknowledged = {}};
  if (json.contains("fired")) instance.fired = time_of(json["fired"]);
  if (json.contains("told")) instance.told = time_of(json["told"]);
  if (json.contains("clear_since")) instance.clear_since = time_of(json["clear_since"]);
  if (json.contains("acknowledged")) instance.acknowledged = acknowledgement_of(json["acknowledged"]);
  return instance;
}

Notice notice_of(const Json& json) {
  Notice notice{.number = json.at("number"),
                .channel = json.at("channel"),
                .key = json.at("key"),
                .site = json.at("site"),
                .rule = json.at("rule"),
                .severity = json.at("severity"),
                .summary = json.at("summary"),
                .action = json.value("action", ""),
                .labels = json.at("labels"),
                .value = double_of(json.at("value")),
                .fired = time_of(json.at("fired")),
                .at = time_of(json.at("at")),
                .acknowledged = {}};
  for (const NoticeKind kind :
       {NoticeKind::firing, NoticeKind::repeated, NoticeKind::acknowledged, NoticeKind::resolved, NoticeKind::test})
    if (json.at("kind") == to_string(kind)) notice.kind = kind;
  if (json.contains("acknowledged")) notice.acknowledged = acknowledgement_of(json["acknowledged"]);
  return notice;
}

}  // namespace rltune::alerts
