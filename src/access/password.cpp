#include "rltune/access/password.hpp"

#include <sodium.h>

#include <array>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

constexpr std::size_t kLeast = 12, kMost = 128;
constexpr auto kPasses = crypto_pwhash_OPSLIMIT_INTERACTIVE;
constexpr auto kMemory = crypto_pwhash_MEMLIMIT_INTERACTIVE;

}  // namespace

Result<> check_password_form(std::string_view password) {
  if (password.size() < kLeast)
    return fail(
        Errc::invalid_argument,
        std::format("a password has at least {} letters; a few words that only you would put together", kLeast));
  if (password.size() > kMost)
    return fail(Errc::invalid_argument, std::format("a password has at most {} bytes", kMost));
  if (password.contains('\0')) return fail(Errc::invalid_argument, "a password holds no zero byte");
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  RLTUNE_CHECK(::sodium_init() >= 0);
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (::crypto_pwhash_str(text.data(), password.data(), password.size(), kPasses, kMemory) != 0)
    return fail(Errc::internal, "there is no memory to hash a password (64 MiB)");
  return std::string(text.data());
}

bool verify_password(std::string_view password, const std::string& hash) {
  RLTUNE_CHECK(::sodium_init() >= 0);
  // Of a password that nobody has.
  static const std::string nobodys = hash_password("\x01nobody's").value_or("");
  const bool known = !hash.empty() && hash.size() < crypto_pwhash_STRBYTES;
  const std::string& against = known ? hash : nobodys;
  const bool right =
      password.size() <= kMost && ::crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
  return right && known;
}

bool needs_rehash(const std::string& hash) {
  RLTUNE_CHECK(::sodium_init() >= 0);
  return ::crypto_pwhash_str_needs_rehash(hash.c_str(), kPasses, kMemory) != 0;
}

}  // namespace rltune::access
