// The target of a request line (RFC 9112, 3.2), taken apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::webserver {

struct Target {
  std::string_view path;                     // as it came: "/v1/a%20b"
  std::map<std::string, std::string> query;  // of a name that stands twice, the first
  std::vector<std::string> twice;            // names that stand more than once there
};

// Of "/path?query", or the same behind "http://host". Errors: parse.
Result<Target> parse_target(std::string_view text);

// "a%20b" -> "a b". nullopt: a % without two hexadecimal digits, or for a zero byte.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace rltune::webserver
