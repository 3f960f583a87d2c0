#include "opcua_value.hpp"

#include <array>
#include <cmath>
#include <format>

namespace rltune::plant {
namespace {

template <typename T>
T load(const void* value) noexcept {
  T copy;
  std::memcpy(&copy, value, sizeof copy);
  return copy;
}

// The range of an integer type as doubles, and whether it is one.
struct IntegerRange {
  double low = 0.0;
  double high = 0.0;
};

std::optional<IntegerRange> integer_range(const UA_DataType* type) noexcept {
  switch (type->typeKind) {
    case UA_DATATYPEKIND_SBYTE:
      return IntegerRange{-128.0, 127.0};
    case UA_DATATYPEKIND_BYTE:
      return IntegerRange{0.0, 255.0};
    case UA_DATATYPEKIND_INT16:
      return IntegerRange{-32768.0, 32767.0};
    case UA_DATATYPEKIND_UINT16:
      return IntegerRange{0.0, 65535.0};
    case UA_DATATYPEKIND_ENUM:
    case UA_DATATYPEKIND_INT32:
      return IntegerRange{-0x1p31, 0x1p31 - 1.0};
    case UA_DATATYPEKIND_UINT32:
      return IntegerRange{0.0, 0x1p32 - 1.0};
    // The largest doubles below 2^63 and 2^64: a cast of the bound itself would overflow.
    case UA_DATATYPEKIND_INT64:
      return IntegerRange{-0x1p63, 0x1.fffffffffffffp62};
    case UA_DATATYPEKIND_UINT64:
      return IntegerRange{0.0, 0x1.fffffffffffffp63};
    case UA_DATATYPEKIND_BOOLEAN:
      return IntegerRange{0.0, 1.0};
    default:
      return std::nullopt;
  }
}

template <typename T>
UaVariant scalar(T value, const UA_DataType* type) {
  UaVariant variant;
  UA_Variant_setScalarCopy(&*variant, &value, type);
  return variant;
}

UaVariant integer_variant(double value, const UA_DataType* type) {
  switch (type->typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return scalar<UA_Boolean>(value != 0.0, type);
    case UA_DATATYPEKIND_SBYTE:
      return scalar(static_cast<UA_SByte>(value), type);
    case UA_DATATYPEKIND_BYTE:
      return scalar(static_cast<UA_Byte>(value), type);
    case UA_DATATYPEKIND_INT16:
      return scalar(static_cast<UA_Int16>(value), type);
    case UA_DATATYPEKIND_UINT16:
      return scalar(static_cast<UA_UInt16>(value), type);
    case UA_DATATYPEKIND_UINT32:
      return scalar(static_cast<UA_UInt32>(value), type);
    case UA_DATATYPEKIND_INT64:
      return scalar(static_cast<UA_Int64>(value), type);
    case UA_DATATYPEKIND_UINT64:
      return scalar(static_cast<UA_UInt64>(value), type);
    default:
      return scalar(static_cast<UA_Int32>(value), type);
  }
}

constexpr double kTicksPerSecond = 1e7;

// One spelling of a unit: without spaces, superscripts as digits, one kind of dot and of micro sign.
std::string plain_unit(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kSame{{{"²", "2"},
                                                                                        {"³", "3"},
                                                                                        {"⁻", "-"},
                                                                                        {"¹", "1"},
                                                                                        {"·", "."},
                                                                                        {"⋅", "."},
                                                                                        {"*", "."},
                                                                                        {"µ", "u"},
                                                                                        {"μ", "u"},
                                                                                        {"^", ""},
                                                                                        {" ", ""},
                                                                                        {"º", "°"},
                                                                                        {"₂", "2"},
                                                                                        {"℃", "°C"}}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto* same =
        std::ranges::find_if(kSame, [&](const auto& pair) { return text.substr(i).starts_with(pair.first); });
    if (same != kSame.end()) {
      out += same->second;
      i += same->first.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

// Units that go by several names; the last of each row are UNECE Recommendation 20 codes, which OPC UA's
// UnitId packs into a number (Part 8, 5.6.3).
constexpr std::array<std::array<std::string_view, 6>, 38> kUnits{{
    {"°C", "degC", "Celsius", "celsius", "CEL"},
    {"K", "kelvin", "KEL"},
    {"°F", "degF", "FAH"},
    {"%", "percent", "pct", "%RH", "P1"},
    {"1", "-", "", "one", "C62"},
    {"W/m2", "W.m-2", "D54"},
    {"kW/m2", "kW.m-2", "N92"},
    {"J/m2", "J.m-2", "B13"},
    {"kg/m2", "kg.m-2", "28"},
    {"kg/m3", "kg.m-3", "KMQ"},
    {"g/m3", "g.m-3", "A93"},
    {"mg/m3", "mg.m-3", "GP"},
    {"m/s", "m.s-1", "MTS"},
    {"m3/s", "m3.s-1", "MQS"},
    {"m3/h", "m3.h-1", "MQH"},
    {"m3/min", "m3.min-1", "G53"},
    {"l/min", "L/min", "L2"},
    {"l", "L", "LTR"},
    {"m3", "MTQ"},
    {"m", "MTR"},
    {"cm", "CMT"},
    {"mm", "MMT"},
    {"cm3/s", "2J"},
    {"s", "sec", "SEC"},
    {"min", "MIN"},
    {"h", "HUR"},
    {"d", "day", "DAY"},
    {"Pa", "PAL"},
    {"kPa", "KPA"},
    {"bar", "BAR"},
    {"mbar", "MBR"},
    {"V", "VLT"},
    {"A", "AMP"},
    {"W", "WTT"},
    {"kW", "KWT"},
    {"kW.h", "kWh", "KWH"},
    {"ppm", "59"},
    {"mol/l", "mol/L", "C38"},
}};

const std::array<std::string_view, 6>* unit_row(std::string_view plain) {
  for (const auto& row : kUnits)
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i] == plain && (!plain.empty() || i < 3)) return &row;
  return nullptr;
}

// UnitId -> "CEL": the code's characters, most significant byte first.
std::string unece_code(UA_Int32 unit_id) {
  std::string code;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>((static_cast<std::uint32_t>(unit_id) >> shift) & 0xff);
    if (byte != '\0') code += byte;
  }
  return code;
}

}  // namespace

std::optional<double> number_of(const void* value, const UA_DataType* type) noexcept {
  if (value == nullptr || type == nullptr) return std::nullopt;
  switch (type->typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return load<UA_Boolean>(value) ? 1.0 : 0.0;
    case UA_DATATYPEKIND_SBYTE:
      return load<UA_SByte>(value);
    case UA_DATATYPEKIND_BYTE:
      return load<UA_Byte>(value);
    case UA_DATATYPEKIND_INT16:
      return load<UA_Int16>(value);
    case UA_DATATYPEKIND_UINT16:
      return load<UA_UInt16>(value);
    case UA_DATATYPEKIND_ENUM:
    case UA_DATATYPEKIND_INT32:
      return load<UA_Int32>(value);
    case UA_DATATYPEKIND_UINT32:
      return load<UA_UInt32>(value);
    case UA_DATATYPEKIND_INT64:
      return static_cast<double>(load<UA_Int64>(value));
    case UA_DATATYPEKIND_UINT64:
      return static_cast<double>(load<UA_UInt64>(value));
    case UA_DATATYPEKIND_FLOAT:
      return load<UA_Float>(value);
    case UA_DATATYPEKIND_DOUBLE:
      return load<UA_Double>(value);
    case UA_DATATYPEKIND_DATETIME:
      return static_cast<double>(ua_ticks_since_1970(load<UA_DateTime>(value))) / kTicksPerSecond;
    default:
      return std::nullopt;
  }
}

bool is_number_type(const UA_DataType* type) noexcept {
  if (type == nullptr) return false;
  return integer_range(type) || type->typeKind == UA_DATATYPEKIND_FLOAT || type->typeKind == UA_DATATYPEKIND_DOUBLE ||
         type->typeKind == UA_DATATYPEKIND_DATETIME;
}

std::optional<double> field_number(const void* value, const UA_DataType* type,
                                   std::span<const std::string> fields) noexcept {
  if (fields.empty()) return number_of(value, type);
  if (value == nullptr || type == nullptr ||
      (type->typeKind != UA_DATATYPEKIND_STRUCTURE && type->typeKind != UA_DATATYPEKIND_OPTSTRUCT))
    return std::nullopt;
  // The layout rule is open62541's: padding, then the member; arrays are a length and a pointer, optional
  // members a pointer (types.h, "Data Type Members").
  const auto* place = static_cast<const char*>(value);
  for (std::size_t i = 0; i < type->membersSize; ++i) {
    const UA_DataTypeMember& member = type->members[i];
    place += member.padding;
    if (fields.front() == member.memberName) {
      if (member.isArray) return std::nullopt;
      const void* data = member.isOptional ? load<const void*>(place) : place;
      return field_number(data, member.memberType, fields.subspan(1));
    }
    if (member.isArray)
      place += sizeof(std::size_t) + sizeof(void*);
    else
      place += member.isOptional ? sizeof(void*) : member.memberType->memSize;
  }
  return std::nullopt;
}

Result<UaVariant> variant_of(double value, const UA_DataType* type) {
  if (!std::isfinite(value)) return fail(Errc::invalid_argument, "the value is not a finite number");
  if (const auto range = integer_range(type)) {
    const double rounded = std::nearbyint(value);
    if (rounded < range->low || rounded > range->high)
      return fail(Errc::invalid_argument, std::format("{} does not fit the node's type {}", value, type->typeName));
    return integer_variant(rounded, type);
  }
  if (type->typeKind == UA_DATATYPEKIND_DOUBLE) return scalar<UA_Double>(value, type);
  if (type->typeKind == UA_DATATYPEKIND_FLOAT) {
    if (std::abs(value) > std::numeric_limits<float>::max())
      return fail(Errc::invalid_argument, std::format("{} does not fit the node's type Float", value));
    return scalar(static_cast<UA_Float>(value), type);
  }
  if (type->typeKind == UA_DATATYPEKIND_DATETIME) {
    constexpr double kYears = 9e10;  // about 2850 years: far inside what the ticks can count
    if (std::abs(value) > kYears) return fail(Errc::invalid_argument, std::format("{} is no believable time", value));
    return scalar(static_cast<UA_DateTime>(std::llround(value * kTicksPerSecond)) + UA_DATETIME_UNIX_EPOCH, type);
  }
  return fail(Errc::unsupported, std::format("nodes of type {} take no numbers", type->typeName));
}

double as_stored(double value, const UA_DataType* type) noexcept {
  if (integer_range(type)) return std::nearbyint(value);
  if (type->typeKind == UA_DATATYPEKIND_FLOAT) return static_cast<double>(static_cast<float>(value));
  if (type->typeKind == UA_DATATYPEKIND_DATETIME) return std::nearbyint(value * kTicksPerSecond) / kTicksPerSecond;
  return value;
}

Quality quality_of(UA_StatusCode status) noexcept {
  switch (status >> 30) {
    case 0:
      return Quality::good;
    case 1:
      return Quality::uncertain;
    default:
      return Quality::bad;
  }
}

bool has_overflow(UA_StatusCode status) noexcept {
  constexpr UA_StatusCode kInfoTypeMask = 0x0C00;
  constexpr UA_StatusCode kInfoTypeDataValue = 0x0400;
  constexpr UA_StatusCode kOverflow = 0x0080;
  return (status & kInfoTypeMask) == kInfoTypeDataValue && (status & kOverflow) != 0;
}

std::string status_name(UA_StatusCode status) {
  const std::string_view name = UA_StatusCode_name(status);
  return name.starts_with("Unknown") || (name == "Good" && status != UA_STATUSCODE_GOOD)
             ? std::format("status 0x{:08X}", status)
             : std::string(name);
}

bool same_unit(std::string_view a, std::string_view b) {
  const auto plain_a = plain_unit(a);
  const auto plain_b = plain_unit(b);
  if (plain_a == plain_b) return true;
  const auto* row = unit_row(plain_a);
  return row != nullptr && row == unit_row(plain_b);
}

bool same_unit(std::string_view unit, const UA_EUInformation& units) {
  if (same_unit(unit, text_of(units.displayName.text))) return true;
  // The display name is for people and may be in any language; the code decides where there is one.
  return units.unitId > 0 && same_unit(unit, unece_code(units.unitId));
}

}  // namespace rltune::plant
