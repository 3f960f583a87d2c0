// If-None-Match (RFC 9110, 13.1.2): what a client has already.
#pragma once

#include <string_view>

namespace rltune::gateway {

// Whether the header names this tag, strong or weak, or anything at all (*).
bool names_etag(std::string_view header, std::string_view etag);

}  // namespace rltune::gateway
