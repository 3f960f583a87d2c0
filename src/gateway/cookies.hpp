// Cookies of a browser's session (RFC 6265): kept from scripts, from plain HTTP and from other sites.
#pragma once

#include <string>
#include <string_view>

#include "rltune/base/time.hpp"

namespace rltune::gateway {

// A host's own, for every path: the browser takes them from nobody else.
inline constexpr std::string_view kAccessCookie = "__Host-rltune-access", kRefreshCookie = "__Host-rltune-refresh";

// The value of the first cookie of that name in a Cookie header; empty where there is none.
std::string cookie_value(std::string_view header, std::string_view name);

// Set-Cookie. A life of zero takes it away.
std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds life);

}  // namespace rltune::gateway
