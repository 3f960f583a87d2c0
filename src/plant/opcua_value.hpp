// Between OPC UA's values and the doubles RLTune computes with. Internal.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/base/sample.hpp"
#include "ua.hpp"

namespace rltune::plant {

// The number in one scalar: booleans as 0 and 1, enumerations by their value, DateTime as seconds since
// 1970 (UTC). Nothing for text, identifiers and structures.
std::optional<double> number_of(const void* value, const UA_DataType* type) noexcept;

// The number behind structure fields ("Range", "Low") of a decoded structure.
std::optional<double> field_number(const void* value, const UA_DataType* type,
                                   std::span<const std::string> fields) noexcept;

// True for a type whose values number_of() reads.
bool is_number_type(const UA_DataType* type) noexcept;

// A number as the type a node wants. Errors: invalid_argument (not finite, out of the type's range),
// unsupported (no type for numbers). Integers are rounded to the nearest.
Result<UaVariant> variant_of(double value, const UA_DataType* type);

// What a node of this type answers when it holds `value`: rounded as the type rounds.
double as_stored(double value, const UA_DataType* type) noexcept;

Quality quality_of(UA_StatusCode status) noexcept;

// The Overflow bit of Part 4, 7.39.1: the server's queue for this item ran full before this value.
bool has_overflow(UA_StatusCode status) noexcept;

// "BadNodeIdUnknown", or the number where the library has no name for it.
std::string status_name(UA_StatusCode status);

// True when two units are the same one in different spelling: "degC", "°C" and UNECE's "CEL".
bool same_unit(std::string_view a, std::string_view b);
// True when EngineeringUnits mean `unit`: by display name or by UNECE code.
bool same_unit(std::string_view unit, const UA_EUInformation& units);

}  // namespace rltune::plant
