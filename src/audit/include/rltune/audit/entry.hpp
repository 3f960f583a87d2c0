// One line of the audit log, its seal, and its place in the chain: docs/formats/audit-log.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::audit {

// Who did what to what, and why. Secrets never go in: names, not values.
struct Entry {
  TimePoint time{};  // zero: when it is written
  std::string actor, action, target, reason, correlation_id;
  std::vector<std::pair<std::string, std::string>> details;
};

struct Line {
  std::uint64_t sequence = 0;
  Entry entry;
  std::string previous, hash;  // BLAKE2b, hexadecimal
};

// Of the entry that says from where a log holds: `first` is the number of the line it begins with, `previous` what that
// line follows.
inline constexpr const char* kExpired = "log.expired";

inline constexpr std::size_t kLineBytesMax = 64 * 1024;

// What stands for the line before the first one of a role.
std::string first_link(std::string_view role);
std::string blake2b(std::string_view bytes);

// The line's bytes with the line feed; fills in `hash`. What is no text becomes text; texts are cut at 4 KiB, and a
// line that would still be too long loses its details.
std::string encode(Line& line);
// `bytes` without the line feed. Errors: parse (not of this form), corrupt (the hash is not its own).
Result<Line> decode(std::string_view bytes);

}  // namespace rltune::audit
