// The second factor: time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 s), as every authenticator app has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

// 160 random bits in base32 without padding (RFC 4648), as people type it.
std::string make_totp_secret();

// For a QR code: "otpauth://totp/RLTune:ada?secret=...&issuer=RLTune".
std::string totp_uri(std::string_view secret, std::string_view user);

// The step a code belongs to: the one of `now`, the one before, or the next. nullopt: wrong, or no later than
// `last_step`, the step of the last code that was taken, so that none is taken twice. The same time whatever is wrong.
// Errors: parse: the secret is no base32.
Result<std::optional<std::uint64_t>> check_totp(std::string_view secret, std::string_view code, TimePoint now,
                                                std::uint64_t last_step);

// Of RFC 4226 and 6238, for one step and so many digits.
Result<std::string> totp_code(std::string_view secret, std::uint64_t step, int digits = 6);

}  // namespace rltune::access
