// Passwords as argon2id hashes (libsodium: two passes over 64 MiB, a salt in each), so that a stolen file of them is of
// little use. About 0.1 s and 64 MiB a check: whoever calls bounds how many run at once.
#pragma once

#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::access {

// 12 to 128 bytes, with no rules about which (NIST SP 800-63B). Errors: invalid_argument.
Result<> check_password_form(std::string_view password);

// "$argon2id$v=19$m=65536,t=2,p=1$...". Errors: internal: no memory.
Result<std::string> hash_password(std::string_view password);

// An empty hash, of a user that there is not, is never right, and costs the same time.
bool verify_password(std::string_view password, const std::string& hash);

// It was made with less work than new ones are: hash the password anew at its next use.
bool needs_rehash(const std::string& hash);

}  // namespace rltune::access
