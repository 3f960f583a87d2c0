#include "rltune/telemetry/otlp_logs.hpp"

#include <google/protobuf/util/json_util.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <format>

#include "entry_text.hpp"
#include "frame.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "rltune/base/log.hpp"

namespace rltune::telemetry {
namespace {

namespace proto = opentelemetry::proto;
using proto::common::v1::AnyValue;
using Attributes = google::protobuf::RepeatedPtrField<proto::common::v1::KeyValue>;

std::string name_from(std::string_view text) {
  std::string name(text.substr(0, kNameMax));
  std::ranges::replace_if(name, [](char c) { return !is_name({&c, 1}); }, '_');
  return name.empty() ? "_" : name;
}

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string base64(std::string_view bytes) {
  constexpr int kWriting = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), kWriting), '\0');
  sodium_bin2base64(text.data(), text.size(), raw(bytes), bytes.size(), kWriting);
  text.pop_back();  // the zero behind it
  return text;
}

std::string hex(std::string_view bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), raw(bytes), bytes.size());
  text.pop_back();
  return text;
}

// In OTLP's JSON ids are hexadecimal, where protobuf's JSON has base64: read as that, the digits are found by writing
// it again. Empty: none, or nothing like one.
std::string id_from(std::string_view bytes, std::size_t size, OtlpEncoding encoding) {
  std::string text = encoding == OtlpEncoding::json ? base64(bytes) : hex(bytes);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  const bool is_id = text.size() == 2 * size && text.find_first_not_of("0123456789abcdef") == std::string::npos &&
                     text.find_first_not_of('0') != std::string::npos;
  return is_id ? text : "";
}

void append_value(std::string& to, const AnyValue& value);

void append_list(std::string& to, const auto& values, auto append_one) {
  for (int i = 0; i < values.size(); ++i) {
    if (i > 0) to += ',';
    append_one(values[i]);
  }
}

void append_container(std::string& to, const AnyValue& value) {
  if (value.has_array_value()) {
    to += '[';
    append_list(to, value.array_value().values(), [&](const AnyValue& one) { append_value(to, one); });
    to += ']';
    return;
  }
  to += '{';
  append_list(to, value.kvlist_value().values(), [&](const proto::common::v1::KeyValue& one) {
    append_json_text(to, one.key());
    to += ':';
    append_value(to, one.value());
  });
  to += '}';
}

// As JSON. The parsers of protobuf bound how deep it goes.
void append_value(std::string& to, const AnyValue& value) {
  switch (value.value_case()) {
    case AnyValue::kStringValue:
      return append_json_text(to, value.string_value());
    case AnyValue::kBytesValue:
      return append_json_text(to, base64(value.bytes_value()));
    case AnyValue::kBoolValue:
      to += value.bool_value() ? "true" : "false";
      return;
    case AnyValue::kIntValue:
      return append_json_number(to, static_cast<std::int64_t>(value.int_value()));
    case AnyValue::kDoubleValue:
      return append_json_number(to, value.double_value());
    case AnyValue::kArrayValue:
    case AnyValue::kKvlistValue:
      return append_container(to, value);
    default:
      to += "null";
  }
}

std::string text_of(const AnyValue& value) {
  if (value.has_string_value()) return value.string_value();
  if (value.value_case() == AnyValue::VALUE_NOT_SET) return "";
  std::string text;
  append_value(text, value);
  return text;
}

const AnyValue* find(const Attributes& attributes, std::string_view key) {
  const auto at = std::ranges::find_if(attributes, [&](const auto& attribute) { return attribute.key() == key; });
  return at == attributes.end() ? nullptr : &at->value();
}

log::Level level_of(const proto::logs::v1::LogRecord& record) {
  const int number = record.severity_number();
  if (number >= 1 && number <= 24)
    return number <= 8 ? log::Level::debug : log::kLevels.at((static_cast<std::size_t>(number) - 5) / 4);
  constexpr std::array<std::pair<std::string_view, log::Level>, 3> kOthers{
      {{"TRACE", log::Level::debug}, {"WARN", log::Level::warning}, {"FATAL", log::Level::critical}}};
  for (const auto& [name, level] : kOthers)
    if (record.severity_text() == name) return level;
  return log::parse_level(record.severity_text()).value_or(log::Level::info);
}

// The attributes of one entry, as far as there is room.
class AttributesText {
 public:
  explicit AttributesText(std::string& to) : to_(to) {}

  void add_all(const Attributes& attributes, std::string_view but) {
    for (const auto& attribute : attributes)
      if (attribute.key() != but) add(attribute.key(), attribute.value());
  }
  void add(std::string_view key, const AnyValue& value) {
    std::string name = name_from(key);
    if (std::ranges::find(names_, name) != names_.end()) return;
    const bool is_plain = !value.has_array_value() && !value.has_kvlist_value();
    const std::string text = is_plain && !value.has_string_value() && !value.has_bytes_value() ? "" : text_of(value);
    if (names_.size() + 1 >= kAttributesMax || text.size() > kMessageMax) {
      ++dropped_;
      return;
    }
    begin(std::move(name));
    if (is_plain)
      append_value(to_, value);
    else
      append_json_text(to_, text);
  }
  void add_text(std::string_view key, std::string text) {
    if (text.empty()) return;
    AnyValue value;
    value.set_string_value(std::move(text));
    add(key, value);
  }
  // Of the ones that the sender dropped as well.
  void end(std::uint64_t dropped_before) {
    if (dropped_ + dropped_before > 0) {
      begin("dropped_attributes_count");
      append_json_number(to_, dropped_ + dropped_before);
    }
    if (!names_.empty()) to_ += '}';
  }

 private:
  void begin(std::string name) {
    to_ += names_.empty() ? R"(,"attributes":{)" : ",";
    append_json_text(to_, name);
    to_ += ':';
    names_.push_back(std::move(name));
  }

  std::string& to_;
  std::vector<std::string> names_;
  std::uint64_t dropped_ = 0;
};

// One call of parse_otlp_logs().
class Taking {
 public:
  Taking(OtlpEncoding encoding, TimePoint now) : encoding_(encoding), now_(now) {}

  ParsedOtlpLogs take(const proto::collector::logs::v1::ExportLogsServiceRequest& request) {
    for (const auto& resource : request.resource_logs()) {
      const AnyValue* service = find(resource.resource().attributes(), "service.name");
      const std::string name = service == nullptr ? "" : text_of(*service);
      service_ = name.empty() ? "unknown_service" : name_from(name);
      for (const auto& scope : resource.scope_logs())
        for (const auto& record : scope.log_records()) {
          ++entry_;
          take(record, scope.scope(), resource.resource());
        }
    }
    return std::move(parsed_);
  }

 private:
  using Record = proto::logs::v1::LogRecord;

  void reject(std::string field, std::string message) {
    ++parsed_.rejected;
    parsed_.payloads.take_back();
    if (parsed_.faults.size() < kFaultsMax) parsed_.faults.push_back({entry_, std::move(field), std::move(message)});
  }
  void field(std::string_view begin, std::string_view text) {
    to_ += begin;
    append_json_text(to_, text);
  }

  void take(const Record& record, const proto::common::v1::InstrumentationScope& scope,
            const proto::resource::v1::Resource& resource) {
    const std::string time = time_of(record), message = text_of(record.body());
    if (!entry_time(time)) return reject("timestamp", "it is no time before the year 2262");
    if (message.size() > kMessageMax)
      return reject("message", std::format("{} bytes; {} is the most of a message", message.size(), kMessageMax));
    field(R"({"timestamp":)", time);
    field(R"(,"service":)", service_);
    field(R"(,"level":)", log::name_of(level_of(record)));
    field(R"(,"message":)", message);
    append_ids_and_attributes(record, scope, resource);
    to_ += '}';
    if (parsed_.payloads.open_size() > kPayloadMax)
      return reject("", std::format("{} bytes; {} is the most of an entry", parsed_.payloads.open_size(), kPayloadMax));
    parsed_.payloads.end_one();
  }

  void append_ids_and_attributes(const Record& record, const proto::common::v1::InstrumentationScope& scope,
                                 const proto::resource::v1::Resource& resource) {
    const std::string trace_id = id_from(record.trace_id(), 16, encoding_);
    const AnyValue* given = find(record.attributes(), "correlation_id");
    const bool is_given = given != nullptr && is_name(given->string_value());
    const std::string correlation_id = is_given ? given->string_value() : trace_id;
    if (!correlation_id.empty()) field(R"(,"correlation_id":)", correlation_id);
    const AnyValue* id = find(record.attributes(), "log.record.uid");
    if (id != nullptr && is_name(id->string_value())) field(R"(,"id":)", id->string_value());
    AttributesText attributes(to_);
    if (is_given) attributes.add_text("trace_id", trace_id);
    attributes.add_text("span_id", id_from(record.span_id(), 8, encoding_));
    attributes.add_text("event.name", record.event_name());
    attributes.add_all(record.attributes(), is_given ? "correlation_id" : "");
    attributes.add_text("otel.scope.name", scope.name());
    attributes.add_text("otel.scope.version", scope.version());
    attributes.add_all(resource.attributes(), "service.name");
    attributes.end(record.dropped_attributes_count());
  }

  // Empty: it cannot be said.
  std::string time_of(const Record& record) const {
    const std::uint64_t nanoseconds =
        record.time_unix_nano() != 0 ? record.time_unix_nano() : record.observed_time_unix_nano();
    if (nanoseconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return "";
    if (nanoseconds == 0) return format_rfc3339(now_);
    return format_rfc3339(TimePoint(Duration(static_cast<std::int64_t>(nanoseconds))));
  }

  OtlpEncoding encoding_;
  TimePoint now_;
  ParsedOtlpLogs parsed_;
  std::string& to_ = parsed_.payloads.bytes();
  std::string service_;
  std::size_t entry_ = 0;
};

}  // namespace

Result<OtlpEncoding> otlp_encoding(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (type.ends_with(' ')) type.pop_back();
  if (type == "application/x-protobuf") return OtlpEncoding::protobuf;
  if (type == "application/json") return OtlpEncoding::json;
  return fail(Errc::unsupported,
              std::format("'{}' is neither application/x-protobuf nor application/json", content_type.substr(0, 80)));
}

Result<ParsedOtlpLogs> parse_otlp_logs(std::string_view body, OtlpEncoding encoding, TimePoint now) {
  proto::collector::logs::v1::ExportLogsServiceRequest request;
  if (encoding == OtlpEncoding::json) {
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto status = google::protobuf::util::JsonStringToMessage(std::string(body), &request, options);
    if (!status.ok())
      return fail(Errc::parse,
                  std::format("no ExportLogsServiceRequest: {}", std::string(status.message().substr(0, 200))));
  } else if (body.size() > std::size_t{std::numeric_limits<int>::max()} ||
             !request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return fail(Errc::parse, "no ExportLogsServiceRequest in the encoding of protobuf");
  }
  return Taking(encoding, now).take(request);
}

std::string otlp_answer(const ParsedOtlpLogs& parsed, OtlpEncoding encoding) {
  proto::collector::logs::v1::ExportLogsServiceResponse response;
  if (parsed.rejected > 0) {
    response.mutable_partial_success()->set_rejected_log_records(static_cast<std::int64_t>(parsed.rejected));
    std::string why;
    for (const EntryFault& fault : parsed.faults)
      why += std::format("{}record {}{}{}: {}", why.empty() ? "" : "; ", fault.entry, fault.field.empty() ? "" : ", ",
                         fault.field, fault.message);
    response.mutable_partial_success()->set_error_message(why);
  }
  if (encoding == OtlpEncoding::protobuf) return response.SerializeAsString();
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(response, &text);
  return text;
}

}  // namespace rltune::telemetry
