// Between tag contents and open62541's variants.
#pragma once

#include <open62541/types.h>

#include "rltune/twin/tag.hpp"

namespace rltune::twin {

const UA_DataType* data_type(TagKind kind) noexcept;
UA_DateTime to_date_time(TimePoint time) noexcept;

// A copy that the caller clears. Arrays become one-dimensional variants.
UA_StatusCode to_variant(const TagContent& content, UA_Variant* out);

// False where the variant is not of the kind's type and rank.
bool from_variant(const UA_Variant& variant, TagKind kind, TagContent& out);

UA_StatusCode to_status(WriteStatus status) noexcept;
UA_StatusCode to_status(TagStatus status) noexcept;

}  // namespace rltune::twin
