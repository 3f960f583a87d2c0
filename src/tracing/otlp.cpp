#include "otlp.hpp"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <cmath>
#include <format>
#include <nlohmann/json.hpp>

namespace rltune::tracing {
namespace {

namespace proto = opentelemetry::proto;
using Json = nlohmann::ordered_json;

template <std::size_t size>
std::string bytes_of(const std::array<std::uint8_t, size>& id) {
  return {id.begin(), id.end()};
}

void add(auto& attributes, std::string_view name, std::string_view text) {
  proto::common::v1::KeyValue& attribute = *attributes.Add();
  attribute.set_key(std::string(name));
  attribute.mutable_value()->set_string_value(std::string(text));
}

void add(auto& attributes, std::string_view name, double number) {
  proto::common::v1::KeyValue& attribute = *attributes.Add();
  attribute.set_key(std::string(name));
  if (number == std::trunc(number) && std::abs(number) < 9e15)
    attribute.mutable_value()->set_int_value(static_cast<std::int64_t>(number));
  else
    attribute.mutable_value()->set_double_value(number);
}

proto::trace::v1::Span::SpanKind kind_of(trace::Kind kind) noexcept {
  switch (kind) {
    case trace::Kind::server:
      return proto::trace::v1::Span::SPAN_KIND_SERVER;
    case trace::Kind::client:
      return proto::trace::v1::Span::SPAN_KIND_CLIENT;
    case trace::Kind::internal:
      break;
  }
  return proto::trace::v1::Span::SPAN_KIND_INTERNAL;
}

void fill(proto::trace::v1::Span& span, const trace::Record& record) {
  span.set_trace_id(bytes_of(record.context.trace_id));
  span.set_span_id(bytes_of(record.context.span_id));
  if (record.parent != trace::SpanId()) span.set_parent_span_id(bytes_of(record.parent));
  span.set_name(std::string(record.name.view()));
  span.set_kind(kind_of(record.kind));
  const auto start = static_cast<std::uint64_t>(record.start.time_since_epoch().count());
  span.set_start_time_unix_nano(start);
  span.set_end_time_unix_nano(start + static_cast<std::uint64_t>(record.took.count()));
  if (!record.correlation_id.view().empty())
    add(*span.mutable_attributes(), "rltune.correlation_id", record.correlation_id.view());
  for (std::size_t i = 0; i < record.attributes_count; ++i) {
    const trace::Attribute& attribute = record.attributes[i];
    if (attribute.is_number)
      add(*span.mutable_attributes(), attribute.name, attribute.number);
    else
      add(*span.mutable_attributes(), attribute.name, attribute.text.view());
  }
  if (!record.failed) return;
  span.mutable_status()->set_code(proto::trace::v1::Status::STATUS_CODE_ERROR);
  span.mutable_status()->set_message(std::string(record.reason.view()));
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += std::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

Request to_otlp(const Origin& origin, std::span<const trace::Record> spans) {
  Request request;
  proto::trace::v1::ResourceSpans& all = *request.add_resource_spans();
  auto& attributes = *all.mutable_resource()->mutable_attributes();
  add(attributes, "service.name", origin.role);
  add(attributes, "service.namespace", "rltune");
  add(attributes, "service.version", RLTUNE_VERSION);
  add(attributes, "service.instance.id", origin.site + "/" + origin.role);
  add(attributes, "rltune.site", origin.site);
  add(attributes, "process.pid", static_cast<double>(::getpid()));
  proto::trace::v1::ScopeSpans& scope = *all.add_scope_spans();
  scope.mutable_scope()->set_name("rltune");
  scope.mutable_scope()->set_version(RLTUNE_VERSION);
  for (const trace::Record& record : spans) fill(*scope.add_spans(), record);
  return request;
}

std::string to_json(const Request& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(request, &text, options).ok()) return {};
  Json json = Json::parse(text);
  for (int r = 0; r < request.resource_spans_size(); ++r)
    for (int s = 0; s < request.resource_spans(r).scope_spans_size(); ++s)
      for (int i = 0; i < request.resource_spans(r).scope_spans(s).spans_size(); ++i) {
        const proto::trace::v1::Span& span = request.resource_spans(r).scope_spans(s).spans(i);
        Json& out = json["resourceSpans"][static_cast<std::size_t>(r)]["scopeSpans"][static_cast<std::size_t>(s)]
                        ["spans"][static_cast<std::size_t>(i)];
        out["traceId"] = hex(span.trace_id());
        out["spanId"] = hex(span.span_id());
        if (!span.parent_span_id().empty()) out["parentSpanId"] = hex(span.parent_span_id());
      }
  return json.dump();
}

}  // namespace rltune::tracing
