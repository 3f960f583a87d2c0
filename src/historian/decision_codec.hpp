// The body of a decision record as bytes: docs/formats/decision-log.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::historian {

// Tag names stand in the body as numbers of the file's table `name`.
using NumberOf = std::function<std::uint32_t(const std::string& name)>;
using NameOf = std::function<std::optional<std::string>(std::uint32_t number)>;

// Everything that is not a column, and at the end a seal over body and columns.
std::string encode_body(const Decision& decision, const NumberOf& number_of);

// The first bytes of the SHA-256 over the columns and the body, which is not empty: damage anywhere in a record
// shows.
std::string seal_of(const Decision& decision, std::string_view body);

// Fills what encode_body() wrote; `decision` holds the columns already. Outside bytes: any may come.
// Errors: corrupt, with the reason.
Result<> decode_body(std::string_view body, const NameOf& name_of, Decision& decision);

}  // namespace rltune::historian
