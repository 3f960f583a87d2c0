// Base64 for URLs without padding (RFC 7515, 2), in its one form: what decodes encodes to the same text again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rltune::access {

std::string to_base64url(std::span<const unsigned char> bytes);
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace rltune::access
