// Signed heads: how far a role's log went, by Ed25519. docs/formats/audit-log.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::audit {

struct Head {
  std::string role, file, hash;
  std::uint64_t sequence = 0, count = 0;
  TimePoint time{};
  std::string key;  // public, hexadecimal
};

// Signs heads. The seed comes from RLTUNE_AUDIT_KEY, the systemd credential rltune-audit-key, or the file `key` of the
// audit folder, which is made (0600) where there is none; `key.pub` is written beside it.
class SigningKey {
 public:
  // Errors: denied (others may read the file), parse (not 64 hexadecimal digits), io.
  static Result<SigningKey> find_or_make(const std::filesystem::path& audit_folder);
  // The seed itself, 64 hexadecimal digits. Errors: parse.
  static Result<SigningKey> of_seed(std::string_view digits);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&&) = delete;

  const std::string& public_key() const noexcept { return public_key_; }
  std::string sign(std::string_view bytes) const;

 private:
  explicit SigningKey(std::string_view seed);
  unsigned char secret_[64]{};
  std::string public_key_;
};

// Whether the signature, 128 hexadecimal digits, is that of the public key over the bytes.
bool is_signed_by(std::string_view public_key, std::string_view bytes, std::string_view signature);

// The line with its line feed; fills in `key`.
std::string encode(Head& head, const SigningKey& key);
// Without the line feed. Errors: parse; corrupt (the signature is not that of the key it names).
Result<Head> decode_head(std::string_view bytes);

// 64 hexadecimal digits out of a file such as key.pub.
Result<std::string> read_public_key(const std::filesystem::path& file);

}  // namespace rltune::audit
