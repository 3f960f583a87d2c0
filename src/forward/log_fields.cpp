#include "log_fields.hpp"

namespace rltune::forward {

Result<LogFields> log_fields(std::string_view entry) {
  LogFields fields{.document = parse_json(entry)};
  yyjson_val* root = fields.document ? yyjson_doc_get_root(fields.document.get()) : nullptr;
  fields.timestamp = text_of(field(root, "timestamp"));
  fields.service = text_of(field(root, "service"));
  fields.level = text_of(field(root, "level"));
  fields.message = text_of(field(root, "message"));
  fields.correlation_id = text_of(field(root, "correlation_id"));
  if (yyjson_val* attributes = field(root, "attributes"); yyjson_is_obj(attributes)) fields.attributes = attributes;
  const auto time = parse_rfc3339(fields.timestamp);
  if (!time || fields.service.empty() || fields.level.empty())
    return fail(Errc::parse, "the record is no log entry with timestamp, service and level");
  fields.time = *time;
  return fields;
}

}  // namespace rltune::forward
