#include "opcua_convert.hpp"

#include <open62541/statuscodes.h>
#include <open62541/types_generated.h>
#include <open62541/types_generated_handling.h>

namespace rltune::twin {
namespace {

constexpr std::int64_t kTicks = 100;  // ns in one tick of UA_DateTime

const UA_DataType* content_type(const TagContent& content) noexcept {
  constexpr std::array kTypes{UA_TYPES_DOUBLE, UA_TYPES_BOOLEAN,  UA_TYPES_INT32, UA_TYPES_UINT32,
                              UA_TYPES_STRING, UA_TYPES_DATETIME, UA_TYPES_DOUBLE};
  return &UA_TYPES[kTypes[content.index()]];
}

}  // namespace

const UA_DataType* data_type(TagKind kind) noexcept {
  switch (kind) {
    case TagKind::boolean:
      return &UA_TYPES[UA_TYPES_BOOLEAN];
    case TagKind::int32:
      return &UA_TYPES[UA_TYPES_INT32];
    case TagKind::uint32:
      return &UA_TYPES[UA_TYPES_UINT32];
    case TagKind::text:
      return &UA_TYPES[UA_TYPES_STRING];
    case TagKind::time:
      return &UA_TYPES[UA_TYPES_DATETIME];
    case TagKind::real:
    case TagKind::reals:
      break;
  }
  return &UA_TYPES[UA_TYPES_DOUBLE];
}

UA_DateTime to_date_time(TimePoint time) noexcept {
  return UA_DATETIME_UNIX_EPOCH + std::chrono::floor<Duration>(time).time_since_epoch().count() / kTicks;
}

UA_StatusCode to_variant(const TagContent& content, UA_Variant* out) {
  const UA_DataType* type = content_type(content);
  if (const auto* reals = std::get_if<std::vector<double>>(&content))
    return UA_Variant_setArrayCopy(out, reals->data(), reals->size(), type);
  if (const auto* text = std::get_if<std::string>(&content)) {
    const UA_String view{text->size(), reinterpret_cast<UA_Byte*>(const_cast<char*>(text->data()))};
    return UA_Variant_setScalarCopy(out, &view, type);
  }
  if (const auto* time = std::get_if<TimePoint>(&content)) {
    const UA_DateTime ticks = to_date_time(*time);
    return UA_Variant_setScalarCopy(out, &ticks, type);
  }
  return std::visit([&](const auto& value) { return UA_Variant_setScalarCopy(out, &value, type); }, content);
}

bool from_variant(const UA_Variant& variant, TagKind kind, TagContent& out) {
  if (kind == TagKind::reals) {
    if (variant.type != data_type(kind) || UA_Variant_isScalar(&variant)) return false;
    const auto* values = static_cast<const double*>(variant.data);
    out = std::vector<double>(values, values + variant.arrayLength);
    return true;
  }
  if (!UA_Variant_hasScalarType(&variant, data_type(kind))) return false;
  switch (kind) {
    case TagKind::real:
      out = *static_cast<const UA_Double*>(variant.data);
      break;
    case TagKind::boolean:
      out = *static_cast<const UA_Boolean*>(variant.data);
      break;
    case TagKind::int32:
      out = *static_cast<const UA_Int32*>(variant.data);
      break;
    case TagKind::uint32:
      out = *static_cast<const UA_UInt32*>(variant.data);
      break;
    case TagKind::text: {
      const auto* text = static_cast<const UA_String*>(variant.data);
      out = std::string(reinterpret_cast<const char*>(text->data), text->length);
      break;
    }
    case TagKind::time:
      out = TimePoint(Duration((*static_cast<const UA_DateTime*>(variant.data) - UA_DATETIME_UNIX_EPOCH) * kTicks));
      break;
    case TagKind::reals:
      break;
  }
  return true;
}

UA_StatusCode to_status(WriteStatus status) noexcept {
  switch (status) {
    case WriteStatus::good:
      return UA_STATUSCODE_GOOD;
    case WriteStatus::out_of_range:
      return UA_STATUSCODE_BADOUTOFRANGE;
    case WriteStatus::wrong_type:
      return UA_STATUSCODE_BADTYPEMISMATCH;
    case WriteStatus::not_writable:
      return UA_STATUSCODE_BADNOTWRITABLE;
    case WriteStatus::denied:
      return UA_STATUSCODE_BADUSERACCESSDENIED;
    case WriteStatus::wrong_state:
      return UA_STATUSCODE_BADINVALIDSTATE;
  }
  return UA_STATUSCODE_BADINTERNALERROR;
}

UA_StatusCode to_status(TagStatus status) noexcept {
  return status == TagStatus::good ? UA_STATUSCODE_GOOD : UA_STATUSCODE_BADSENSORFAILURE;
}

}  // namespace rltune::twin
