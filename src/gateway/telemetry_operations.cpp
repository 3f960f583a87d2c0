#include "telemetry_operations.hpp"

#include <nlohmann/json.hpp>

#include "asking.hpp"
#include "rltune/api/telemetry.hpp"
#include "rltune/http/announcement.hpp"
#include "rltune/http/client.hpp"
#include "rltune/http/url.hpp"

namespace rltune::gateway {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTelemetryBytesMax = std::size_t{16} << 20U;  // a page of logs is 4 MiB of entries

// The role's own words where it does not take a question, for it was asked with what somebody wrote.
Error error_of(const http::Response& response) {
  const Json problem = Json::parse(response.body, nullptr, false);
  const auto word = problem.is_object() ? problem.find("detail") : problem.end();
  const std::string detail = word != problem.end() && word->is_string() ? word->get<std::string>() : std::string();
  switch (response.status) {
    case 400:
      return {Errc::invalid_argument, detail};
    case 404:
      return {Errc::not_found, detail};
    case 429:
      return {Errc::no_space, detail};
    default:
      return {Errc::internal, std::format("the telemetry role answers {}: {}", response.status, detail)};
  }
}

Result<Json> ask_role(const std::filesystem::path& announcement, http::Request request) {
  const auto role = http::read_announcement(announcement);
  if (!role) return fail(Errc::disconnected, role.error().message);
  request.url = role->url + request.url;
  request.headers = {{"Authorization", role->authorization()}, {"Content-Type", "application/json"}};
  http::Client client({.ca_file = {},
                       .certificate_file = {},
                       .key_file = {},
                       .timeout = kPatience,
                       .answer_bytes_max = kTelemetryBytesMax});
  const auto response = client.send(request);
  if (!response) return std::unexpected(response.error());
  if (response->status != 200) return std::unexpected(error_of(*response));
  Json told = Json::parse(response->body, nullptr, false);
  if (!told.is_object()) return fail(Errc::internal, "the telemetry role does not answer with an object");
  return told;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::map<std::string, std::string> texts_of(const Json& object) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.items()) texts.emplace(name, text_of(value));
  return texts;
}

// Where a role of this host listens is not told: its name says which it is.
std::map<std::string, std::string> labels_of(const Json& object) {
  auto labels = texts_of(object);
  if (labels.contains("role")) labels.erase("instance");
  return labels;
}

// Throws nlohmann's exceptions, as all below: where the role says something else than it should.
TimePoint instant_of(const Json& text) {
  const auto instant = parse_rfc3339(text.get<std::string>());
  if (!instant) throw Json::other_error::create(0, instant.error().message, nullptr);
  return *instant;
}

std::optional<TimePoint> instant_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  return instant_of(*found);
}

api::AlertInfo alert_of(const Json& told) {
  api::AlertInfo alert{.id = told.at("id"),
                       .rule = told.at("rule"),
                       .state = told.at("state"),
                       .severity = told.at("severity"),
                       .summary = told.at("summary"),
                       .action = told.value("action", ""),
                       .value = text_of(told.at("value")),
                       .labels = labels_of(told.at("labels")),
                       .channels = told.at("channels"),
                       .since = instant_of(told.at("since")),
                       .fired = instant_in(told, "fired"),
                       .acknowledged = std::nullopt};
  const auto said = told.find("acknowledged");
  if (said != told.end() && said->is_object())
    alert.acknowledged = {.who = said->at("who"),
                          .why = said->at("why"),
                          .at = instant_of(said->at("at")),
                          .until = instant_in(*said, "until")};
  return alert;
}

api::AlertList alerts_of(const Json& told) {
  api::AlertList list;
  for (const Json& alert : told.at("alerts")) list.alerts.push_back(alert_of(alert));
  return list;
}

api::LogInfo entry_of(const Json& told) {
  const Json& written = told.at("entry");
  api::LogInfo entry{.sequence = told.at("sequence"),
                     .timestamp = instant_of(written.at("timestamp")),
                     .received = instant_of(told.at("received")),
                     .service = written.at("service"),
                     .level = written.at("level"),
                     .message = written.at("message"),
                     .correlation_id = std::nullopt,
                     .attributes = {}};
  if (written.contains("correlation_id")) entry.correlation_id = written.at("correlation_id").get<std::string>();
  if (written.contains("attributes")) entry.attributes = texts_of(written.at("attributes"));
  return entry;
}

api::LogList logs_of(const Json& told, bool later_too) {
  api::LogList list{.entries = {}, .complete = told.at("complete"), .next = std::nullopt};
  for (const Json& entry : told.at("entries")) list.entries.push_back(entry_of(entry));
  if (!list.complete || later_too) list.next = std::to_string(told.at("next").get<std::uint64_t>());
  return list;
}

api::TelemetryStatus status_of(const Json& told) {
  api::TelemetryStatus status;
  for (const auto& [name, stream] : told.at("streams").items())
    status.streams.push_back({.stream = name,
                              .trouble = stream.at("trouble"),
                              .floor = stream.at("floor"),
                              .acknowledged = stream.at("acknowledged"),
                              .disk_bytes = stream.at("disk_bytes"),
                              .lost = stream.at("lost"),
                              .removed_unsent = stream.at("removed_unsent"),
                              .low_disk = stream.at("low_disk")});
  for (const Json& sink : told.at("sinks"))
    status.sinks.push_back({.sink = sink.at("sink"),
                            .stream = sink.at("stream"),
                            .trouble = sink.at("trouble"),
                            .delivered = sink.at("delivered"),
                            .waiting_records = sink.at("waiting_records"),
                            .retried = sink.at("retried"),
                            .refused = sink.at("refused"),
                            .last_success = instant_in(sink, "last_success")});
  return status;
}

std::string question_of(const api::LogsQuery& query) {
  std::string url = "/v1/logs?limit=" + std::to_string(query.limit.value_or(api::kLogsDefault));
  const auto add = [&url](const char* name, const std::optional<std::string>& value) {
    if (value && !value->empty()) url += std::format("&{}={}", name, http::percent_encoded(*value));
  };
  add("from", query.from.transform(format_rfc3339));
  add("to", query.to.transform(format_rfc3339));
  add("service", query.service);
  add("level", query.level);
  add("correlation_id", query.correlation_id);
  add("text", query.text);
  add("order", query.order);
  add("next", query.cursor);
  return url;
}

void hide_paths(Json& told, const HostPaths& paths) {
  if (told.is_string()) told = paths.hidden(told.get_ref<const std::string&>());
  if (told.is_structured())
    for (Json& each : told) hide_paths(each, paths);
}

class Telemetry {
 public:
  explicit Telemetry(TelemetryAsking asking) : asking_(std::move(asking)) {}

  // `made` makes a message of what the role says.
  template <typename Made>
  void ask(http::Request request, Made made, const Done& done) const {
    const bool taken = asking_.workers.post([asking = asking_, request = std::move(request), made = std::move(made),
                                             done] {
      auto told = ask_role(asking.announcement, request);
      if (!told) return done(refusal_of(told.error()));
      hide_paths(*told, asking.paths);
      try {
        done(answer(made(*told)));
      } catch (const Json::exception& wrong) {
        done(refusal_of({Errc::internal, std::format("the telemetry role answers something else: {}", wrong.what())}));
      }
    });
    if (!taken) done(too_busy());
  }

 private:
  TelemetryAsking asking_;
};

http::Request get(std::string path) { return {.method = "GET", .url = std::move(path), .headers = {}, .body = {}}; }

void acknowledge(const Telemetry& role, const TellRead& tell, const CallPointer& call, const api::AlertOrder& order,
                 const Done& done) {
  Json body{{"who", call->identity->name}, {"why", order.reason}};
  if (order.until) body["until"] = format_rfc3339(*order.until);
  http::Request request{.method = "POST",
                        .url = "/v1/alerts/" + http::percent_encoded(call->parts[0]) + "/acknowledge",
                        .headers = {},
                        .body = body.dump()};
  role.ask(
      std::move(request),
      [call, tell](const Json& told) {
        tell({call->identity->name, "alert.acknowledged", call->parts[0], call->correlation_id});
        return alert_of(told);
      },
      done);
}

}  // namespace

Handlers telemetry_handlers(const TelemetryAsking& asking_for, const TellRead& tell) {
  const Telemetry role(asking_for);
  Handlers handlers;
  handlers.emplace("listAlerts",
                   [role](const CallPointer&, const Done& done) { role.ask(get("/v1/alerts"), alerts_of, done); });
  handlers.emplace("getTelemetryStatus",
                   [role](const CallPointer&, const Done& done) { role.ask(get("/v1/status"), status_of, done); });
  handlers.emplace(
      "acknowledgeAlert",
      taking<api::AlertOrder>([role, tell](const CallPointer& call, const api::AlertOrder& order, const Done& done) {
        acknowledge(role, tell, call, order, done);
      }));
  handlers.emplace(
      "searchLogs", asking<api::LogsQuery>([role](const CallPointer&, const api::LogsQuery& query, const Done& done) {
        role.ask(
            get(question_of(query)),
            [later_too = query.order == "oldest"](const Json& told) { return logs_of(told, later_too); }, done);
      }));
  return handlers;
}

}  // namespace rltune::gateway
