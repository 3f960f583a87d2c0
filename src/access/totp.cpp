#include "rltune/access/totp.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <array>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kSecretBytes = 20;
constexpr std::chrono::seconds kStep{30};

std::string base32(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(byte);
    for (count += 8; count >= 5; count -= 5) text += kAlphabet[bits >> (count - 5) & 31U];
  }
  if (count > 0) text += kAlphabet[bits << (5 - count) & 31U];
  return text;
}

// Small letters and blanks are as people write it down.
Result<std::string> from_base32(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == ' ' || letter == '-') continue;
    const char capital = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    const std::size_t value = kAlphabet.find(capital);
    if (value == std::string_view::npos) return fail(Errc::parse, "the secret of the second factor is no base32");
    bits = bits << 5U | static_cast<std::uint32_t>(value);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255U);
  }
  if (bytes.size() < 10) return fail(Errc::parse, "the secret of the second factor is too short");
  return bytes;
}

}  // namespace

std::string make_totp_secret() {
  RLTUNE_CHECK(::sodium_init() >= 0);
  std::array<char, kSecretBytes> bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  return base32({bytes.data(), bytes.size()});
}

std::string totp_uri(std::string_view secret, std::string_view user) {
  std::string name;
  for (const char letter : user) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_';
    name += plain ? std::string(1, letter) : std::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return std::format("otpauth://totp/RLTune:{}?secret={}&issuer=RLTune", name, secret);
}

Result<std::string> totp_code(std::string_view secret, std::uint64_t step, int digits) {
  RLTUNE_CHECK(digits >= 6 && digits <= 8);
  const auto key = from_base32(secret);
  if (!key) return std::unexpected(key.error());
  std::array<unsigned char, 8> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[7 - i] = static_cast<unsigned char>(step >> (8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::HMAC(::EVP_sha1(), key->data(), static_cast<int>(key->size()), message.data(), message.size(), digest.data(),
         &size);
  RLTUNE_CHECK(size == 20);
  const std::size_t at = digest[19] & 15U;
  const std::uint32_t number = (digest[at] & 0x7FU) << 24U | static_cast<std::uint32_t>(digest[at + 1]) << 16U |
                               static_cast<std::uint32_t>(digest[at + 2]) << 8U | digest[at + 3];
  std::uint32_t limit = 1;
  for (int i = 0; i < digits; ++i) limit *= 10;
  return std::format("{:0{}}", number % limit, digits);
}

Result<std::optional<std::uint64_t>> check_totp(std::string_view secret, std::string_view code, TimePoint now,
                                                std::uint64_t last_step) {
  const auto step =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() / kStep);
  std::optional<std::uint64_t> found;
  for (const std::uint64_t candidate : {step - 1, step, step + 1}) {
    const auto expected = totp_code(secret, candidate);
    if (!expected) return std::unexpected(expected.error());
    const bool same =
        code.size() == expected->size() && ::CRYPTO_memcmp(code.data(), expected->data(), code.size()) == 0;
    if (same && candidate > last_step) found = candidate;
  }
  return found;
}

}  // namespace rltune::access
