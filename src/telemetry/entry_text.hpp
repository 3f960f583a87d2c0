// A log entry as its payload holds it: one JSON object, our own order of fields, no white space. So it is written
// without a document, and read without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/json_text.hpp"
#include "rltune/base/log.hpp"

namespace rltune::telemetry {

// The shortest that says the same. What is no number of JSON is a text: "NaN", "+Inf", "-Inf".
void append_json_number(std::string& to, double number);
void append_json_number(std::string& to, std::int64_t number);
void append_json_number(std::string& to, std::uint64_t number);

// Of a service, an id, the key of an attribute: letters, digits and ._-/: , at most kNameMax of them.
bool is_name(std::string_view text) noexcept;

// Nanoseconds since 1970, UTC. None: no instant of RFC 3339.
std::optional<std::int64_t> entry_time(std::string_view timestamp);
std::optional<log::Level> entry_level(std::string_view name) noexcept;

// Where each field stands in a payload; texts as they are written, so with their escapes. Empty: it is not there.
struct EntryText {
  std::string_view timestamp, service, level, message, correlation_id, id;
  std::string_view attributes;  // with its braces
};
// None: no payload of an entry.
std::optional<EntryText> read_entry(std::string_view payload) noexcept;

}  // namespace rltune::telemetry
