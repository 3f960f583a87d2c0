// Messages about what the site says of itself: its alerts, its logs, and how far both are kept and sent on.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::uint64_t kLogsDefault = 100, kLogsMax = 1'000;
inline constexpr std::array<std::string_view, 2> kAlertStates{"pending", "firing"};
inline constexpr std::array<std::string_view, 5> kLogLevels{"debug", "info", "warning", "error", "critical"};
inline constexpr std::array<std::string_view, 2> kLogOrders{"newest", "oldest"};

struct AlertAcknowledgement {
  static constexpr std::string_view kSchema = "AlertAcknowledgement";
  std::string who, why;
  TimePoint at{};
  std::optional<TimePoint> until;
};
template <typename Visitor>
void describe(Visitor& v, AlertAcknowledgement& acknowledgement) {
  v.field("who", acknowledgement.who, {.note = "the account, or who sat at the host"});
  v.field("why", acknowledgement.why, {.note = "for the others"});
  v.field("at", acknowledgement.at, {.note = "when"});
  v.field("until", acknowledgement.until, {.note = "it ends by itself; missing: with the alert"});
}

struct AlertInfo {
  static constexpr std::string_view kSchema = "Alert";
  std::string id, rule, state, severity, summary, action, value;
  std::map<std::string, std::string> labels;
  std::vector<std::string> channels;
  TimePoint since{};
  std::optional<TimePoint> fired;
  std::optional<AlertAcknowledgement> acknowledged;
};
template <typename Visitor>
void describe(Visitor& v, AlertInfo& alert) {
  v.field("id", alert.id, {.note = "the same for this rule and series whenever it fires"});
  v.field("rule", alert.rule, {.note = "of alerts.yaml, or of those that ship with the product"});
  v.field("state", alert.state,
          {.note = "pending: the condition holds, for less than its rule says", .words = kAlertStates});
  v.field("severity", alert.severity, {.note = "as the rule says"});
  v.field("summary", alert.summary, {.note = "what is wrong"});
  v.field("action", alert.action, {.note = "what to do; empty: the rule does not say"});
  v.field("value", alert.value, {.note = "the figure, as last seen"});
  v.field("labels", alert.labels, {.note = "of the series"});
  v.field("channels", alert.channels, {.note = "who is told"});
  v.field("since", alert.since, {.note = "the condition holds"});
  v.field("fired", alert.fired, {.note = "it was told; missing: it is pending"});
  v.field("acknowledged", alert.acknowledged, {.note = "somebody looks after it, and nobody is told again"});
}

struct AlertList {
  static constexpr std::string_view kSchema = "AlertList";
  std::vector<AlertInfo> alerts;
};
template <typename Visitor>
void describe(Visitor& v, AlertList& list) {
  v.field("alerts", list.alerts, {.note = "pending and firing"});
}

struct AlertOrder {
  static constexpr std::string_view kSchema = "AlertOrder";
  std::string reason;
  std::optional<TimePoint> until;
};
template <typename Visitor>
void describe(Visitor& v, AlertOrder& order) {
  v.field("reason", order.reason, {.note = "for the others"});
  v.field("until", order.until, {.note = "it ends by itself; missing: with the alert"});
}

struct LogsQuery {
  std::optional<TimePoint> from, to;
  std::optional<std::string> service, level, correlation_id, text, order, cursor;
  std::optional<std::uint64_t> limit;
};
template <typename Visitor>
void describe(Visitor& v, LogsQuery& query) {
  v.field("from", query.from, {.note = "not before"});
  v.field("to", query.to, {.note = "before"});
  v.field("service", query.service,
          {.note = "io, agent.climate ...; several with commas between", .length_max = 1'000});
  v.field("level", query.level, {.note = "this one and those above", .words = kLogLevels});
  v.field("correlation_id", query.correlation_id, {.note = "of one call or decision", .length_max = 128});
  v.field("text", query.text, {.note = "in the message or the attributes, in either case", .length_max = 200});
  v.field("order", query.order,
          {.note = "by the order in which they came; newest where it is left out", .words = kLogOrders});
  v.field("limit", query.limit, {.note = "entries a page; 100 where it is left out", .low = 1, .high = kLogsMax});
  v.field("cursor", query.cursor, {.note = "`next` of the page before, all else being the same", .length_max = 20});
}

struct LogInfo {
  static constexpr std::string_view kSchema = "LogEntry";
  std::uint64_t sequence = 0;
  TimePoint timestamp{}, received{};
  std::string service, level, message;
  std::optional<std::string> correlation_id;
  std::map<std::string, std::string> attributes;
};
template <typename Visitor>
void describe(Visitor& v, LogInfo& entry) {
  v.field("sequence", entry.sequence, {.note = "by which they came"});
  v.field("timestamp", entry.timestamp, {.note = "by the clock of who wrote it"});
  v.field("received", entry.received, {.note = "by the site's clock"});
  v.field("service", entry.service, {.note = "who wrote it"});
  v.field("level", entry.level, {.note = "INFO, WARNING ..."});
  v.field("message", entry.message, {.note = "what", .length_max = 65'536});
  v.field("correlation_id", entry.correlation_id, {.note = "of the call or decision that it belongs to"});
  v.field("attributes", entry.attributes, {.note = "beside the message; what is no text as JSON"});
}

struct LogList {
  static constexpr std::string_view kSchema = "LogList";
  std::vector<LogInfo> entries;
  bool complete = false;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, LogList& list) {
  v.field("entries", list.entries,
          {.note = "may be fewer than asked for, or none, where much was searched", .length_max = kLogsMax});
  v.field("complete", list.complete, {.note = "there are no more now"});
  v.field("next", list.next, {.note = "the cursor of what follows; with the oldest first also of what comes later"});
}

struct TelemetryStream {
  static constexpr std::string_view kSchema = "TelemetryStream";
  std::string stream, trouble;
  std::uint64_t floor = 0, acknowledged = 0, disk_bytes = 0, lost = 0, removed_unsent = 0;
  bool low_disk = false;
};
template <typename Visitor>
void describe(Visitor& v, TelemetryStream& stream) {
  v.field("stream", stream.stream, {.note = "logs or metrics"});
  v.field("floor", stream.floor, {.note = "the first record that is kept"});
  v.field("acknowledged", stream.acknowledged, {.note = "the last one"});
  v.field("disk_bytes", stream.disk_bytes, {.note = "what they take"});
  v.field("lost", stream.lost, {.note = "records that a damaged disk cost"});
  v.field("removed_unsent", stream.removed_unsent, {.note = "records too old to keep that some sink never had"});
  v.field("low_disk", stream.low_disk, {.note = "its disk is nearly full"});
  v.field("trouble", stream.trouble, {.note = "why nothing can be written; empty: it can", .length_max = 4'096});
}

struct TelemetrySink {
  static constexpr std::string_view kSchema = "TelemetrySink";
  std::string sink, stream, trouble;
  std::uint64_t delivered = 0, waiting_records = 0, retried = 0, refused = 0;
  std::optional<TimePoint> last_success;
};
template <typename Visitor>
void describe(Visitor& v, TelemetrySink& sink) {
  v.field("sink", sink.sink, {.note = "its name in telemetry.yaml"});
  v.field("stream", sink.stream, {.note = "what it is sent"});
  v.field("delivered", sink.delivered, {.note = "it has every record up to this one"});
  v.field("waiting_records", sink.waiting_records, {.note = "still to be sent"});
  v.field("retried", sink.retried, {.note = "batches that were sent again"});
  v.field("refused", sink.refused, {.note = "records that it does not take, kept as dead letters"});
  v.field("last_success", sink.last_success, {.note = "missing: never"});
  v.field("trouble", sink.trouble, {.note = "what keeps it; empty: nothing does", .length_max = 4'096});
}

struct TelemetryStatus {
  static constexpr std::string_view kSchema = "TelemetryStatus";
  std::vector<TelemetryStream> streams;
  std::vector<TelemetrySink> sinks;
};
template <typename Visitor>
void describe(Visitor& v, TelemetryStatus& status) {
  v.field("streams", status.streams, {.note = "what is kept"});
  v.field("sinks", status.sinks, {.note = "where it is sent"});
}

}  // namespace rltune::api
