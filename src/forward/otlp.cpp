// OpenTelemetry's protocol over HTTP (opentelemetry.io/docs/specs/otlp): logs, and metrics as gauges.
#include <algorithm>
#include <format>
#include <map>

#include "encoding.hpp"
#include "log_fields.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::forward {
namespace {

namespace proto = opentelemetry::proto;
using LogsRequest = proto::collector::logs::v1::ExportLogsServiceRequest;
using LogsResponse = proto::collector::logs::v1::ExportLogsServiceResponse;
using MetricsRequest = proto::collector::metrics::v1::ExportMetricsServiceRequest;
using MetricsResponse = proto::collector::metrics::v1::ExportMetricsServiceResponse;

void add(auto& attributes, std::string_view name, std::string_view text) {
  proto::common::v1::KeyValue& attribute = *attributes.Add();
  attribute.set_key(std::string(name));
  attribute.mutable_value()->set_string_value(std::string(text));
}

void add(auto& attributes, std::string_view name, yyjson_val* value) {
  if (yyjson_is_str(value)) return add(attributes, name, text_of(value));
  proto::common::v1::KeyValue& attribute = *attributes.Add();
  attribute.set_key(std::string(name));
  proto::common::v1::AnyValue& any = *attribute.mutable_value();
  if (yyjson_is_bool(value))
    any.set_bool_value(yyjson_get_bool(value));
  else if (yyjson_is_sint(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX))
    any.set_int_value(yyjson_get_sint(value));
  else if (yyjson_is_num(value))
    any.set_double_value(yyjson_get_num(value));
}

// "Mapping of SeverityNumber": the numbers of the data model of logs.
proto::logs::v1::SeverityNumber severity_of(std::string_view level) {
  if (level == "DEBUG") return proto::logs::v1::SEVERITY_NUMBER_DEBUG;
  if (level == "INFO") return proto::logs::v1::SEVERITY_NUMBER_INFO;
  if (level == "WARNING") return proto::logs::v1::SEVERITY_NUMBER_WARN;
  if (level == "ERROR") return proto::logs::v1::SEVERITY_NUMBER_ERROR;
  return proto::logs::v1::SEVERITY_NUMBER_FATAL;
}

void fill(proto::logs::v1::LogRecord& log, const LogFields& fields, const Record& record) {
  log.set_time_unix_nano(static_cast<std::uint64_t>(fields.time.time_since_epoch().count()));
  log.set_observed_time_unix_nano(static_cast<std::uint64_t>(record.unix_ns));
  log.set_severity_number(severity_of(fields.level));
  log.set_severity_text(std::string(fields.level));
  log.mutable_body()->set_string_value(std::string(fields.message));
  add(*log.mutable_attributes(), "rltune.record_id", record.id);
  if (!fields.correlation_id.empty()) add(*log.mutable_attributes(), "rltune.correlation_id", fields.correlation_id);
  yyjson_obj_iter iterator = yyjson_obj_iter_with(fields.attributes);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator))
    add(*log.mutable_attributes(), text_of(key), yyjson_obj_iter_get_val(key));
}

// A resource is a service of a site.
std::string logs_body(const Batch& batch, std::vector<RecordFault>& unfit) {
  LogsRequest request;
  std::map<std::pair<std::string, std::string>, proto::logs::v1::ScopeLogs*> scopes;
  for (const Record& record : batch.records) {
    const auto fields = log_fields(record.entry);
    if (!fields) {
      unfit.push_back({record.sequence, fields.error().message});
      continue;
    }
    proto::logs::v1::ScopeLogs*& scope = scopes[{record.site, std::string(fields->service)}];
    if (scope == nullptr) {
      proto::logs::v1::ResourceLogs& resource = *request.add_resource_logs();
      add(*resource.mutable_resource()->mutable_attributes(), "service.name", fields->service);
      add(*resource.mutable_resource()->mutable_attributes(), "rltune.site", record.site);
      scope = resource.add_scope_logs();
    }
    fill(*scope->add_log_records(), *fields, record);
  }
  return request.SerializeAsString();
}

std::string metrics_body(const Batch& batch, std::vector<RecordFault>& unfit) {
  MetricsRequest request;
  std::map<std::string, proto::metrics::v1::ScopeMetrics*> scopes;
  std::map<std::pair<std::string, std::string>, proto::metrics::v1::Gauge*> gauges;
  for (const Record& record : batch.records) {
    const auto sample = telemetry::parse_metric(record.entry);
    if (!sample) {
      unfit.push_back({record.sequence, sample.error().message});
      continue;
    }
    proto::metrics::v1::ScopeMetrics*& scope = scopes[record.site];
    if (scope == nullptr) {
      proto::metrics::v1::ResourceMetrics& resource = *request.add_resource_metrics();
      add(*resource.mutable_resource()->mutable_attributes(), "rltune.site", record.site);
      scope = resource.add_scope_metrics();
    }
    proto::metrics::v1::Gauge*& gauge = gauges[{record.site, sample->name}];
    if (gauge == nullptr) {
      proto::metrics::v1::Metric& metric = *scope->add_metrics();
      metric.set_name(sample->name);
      gauge = metric.mutable_gauge();
    }
    proto::metrics::v1::NumberDataPoint& point = *gauge->add_data_points();
    point.set_time_unix_nano(static_cast<std::uint64_t>(sample->unix_ms) * 1'000'000U);
    point.set_as_double(sample->value);
    for (const auto& [name, value] : sample->labels) add(*point.mutable_attributes(), name, value);
  }
  return request.SerializeAsString();
}

// The protocol says how many were refused and why, not which; and that none may be sent again.
Outcome partial(std::int64_t rejected, const std::string& why) {
  if (rejected <= 0) return {};
  return {.reason = std::format("{} refused: {}", rejected, why),
          .refused_unnamed = static_cast<std::uint64_t>(rejected)};
}

class OtlpEncoding final : public Encoding {
 public:
  std::string url(const std::string& configured, const std::string& stream) const override {
    const std::string path = "/v1/" + stream;
    if (configured.ends_with(path)) return configured;
    return configured.substr(0, configured.find_last_not_of('/') + 1) + path;
  }
  Encoded encode(const Batch& batch) const override {
    Encoded encoded{.content_type = "application/x-protobuf"};
    encoded.body = batch.stream == "logs" ? logs_body(batch, encoded.unfit) : metrics_body(batch, encoded.unfit);
    return encoded;
  }
  Outcome judge(const Batch& batch, const http::Response& response) const override {
    if (batch.stream == "logs") {
      LogsResponse answer;
      if (!answer.ParseFromString(response.body)) return {};
      return partial(answer.partial_success().rejected_log_records(), answer.partial_success().error_message());
    }
    MetricsResponse answer;
    if (!answer.ParseFromString(response.body)) return {};
    return partial(answer.partial_success().rejected_data_points(), answer.partial_success().error_message());
  }
};

}  // namespace

std::unique_ptr<Encoding> make_otlp_encoding() { return std::make_unique<OtlpEncoding>(); }

}  // namespace rltune::forward
