// Cookies of a browser's session (RFC 6265): kept from scripts, from plain HTTP and from other sites.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"

namespace rltune::gateway {

// A host's own, for every path: the browser takes them from nobody else.
inline constexpr std::string_view kAccessCookie = "__Host-rltune-access", kRefreshCookie = "__Host-rltune-refresh",
                                  kAttemptCookie = "__Host-rltune-attempt";

// The value of the first cookie of that name in a Cookie header; empty where there is none.
std::string cookie_value(std::string_view header, std::string_view name);

// strict: with nothing that another site began; lax: also when another site sends the browser here.
enum class SameSite : std::uint8_t { strict, lax };

// Set-Cookie. A life of zero takes it away.
std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds life,
                       SameSite same_site = SameSite::strict);

}  // namespace rltune::gateway
