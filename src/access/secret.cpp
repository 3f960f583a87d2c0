#include "rltune/access/secret.hpp"

#include <sodium.h>

#include <array>

#include "rltune/access/base64url.hpp"
#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

constexpr std::size_t kBytes = 32, kLetters = 43;

}  // namespace

std::string make_secret() {
  RLTUNE_CHECK(::sodium_init() >= 0);
  std::array<unsigned char, kBytes> bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  return to_base64url(bytes);
}

bool is_secret(std::string_view text) { return text.size() == kLetters && from_base64url(text).has_value(); }

bool same_hash(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace rltune::access
