// A signed text in its compact form (RFC 7515, 7.1), taken apart and not looked at yet.
#pragma once

#include <optional>
#include <string_view>

namespace rltune::access {

struct CompactJws {
  std::string_view signed_text;                 // what the signature is of: header and payload with the dot between
  std::string_view header, payload, signature;  // base64url
};

// nullopt: it has not three parts. The parts point into the token.
std::optional<CompactJws> split_jws(std::string_view token);

}  // namespace rltune::access
