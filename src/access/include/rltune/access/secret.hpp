// Secrets that are shown once and kept as a hash: 256 random bits in base64url. One round of SHA-256 is enough for
// them: nobody tries 2^256 of them, as people try passwords.
#pragma once

#include <string>
#include <string_view>

namespace rltune::access {

std::string make_secret();

// False: no make_secret() has made it; it is not looked up then.
bool is_secret(std::string_view text);

// In the same time wherever they differ. Both are hashes (base/sha256.hpp).
bool same_hash(std::string_view one, std::string_view other);

}  // namespace rltune::access
