#include "rltune/vault/key.hpp"

#include <sodium.h>

#include <format>
#include <utility>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"

namespace rltune::vault {
namespace {

Result<> ready() {
  if (::sodium_init() < 0) return fail(Errc::internal, "libsodium cannot be used on this machine");
  return {};
}

}  // namespace

Result<Key> Key::parse(std::string_view digits) {
  if (auto done = ready(); !done) return std::unexpected(done.error());
  Key key;
  std::size_t size = 0;
  if (digits.size() != 2 * key.bytes_.size() ||
      sodium_hex2bin(key.bytes_.data(), key.bytes_.size(), digits.data(), digits.size(), nullptr, &size, nullptr) !=
          0 ||
      size != key.bytes_.size())
    return fail(Errc::parse, "the key is not 64 hexadecimal digits");
  return key;
}

Result<Key> Key::make() {
  if (auto done = ready(); !done) return std::unexpected(done.error());
  Key key;
  randombytes_buf(key.bytes_.data(), key.bytes_.size());
  return key;
}

Result<> Key::make_file(const std::filesystem::path& file) {
  if (std::filesystem::exists(file))
    return fail(Errc::invalid_argument,
                std::format("{} exists; a key that is replaced opens nothing any more", file.string()));
  return make().and_then([&](const Key& key) { return write_secret_file(file, key.digits() + "\n"); });
}

Key::Key(Key&& other) noexcept : bytes_(other.bytes_) { sodium_memzero(other.bytes_.data(), other.bytes_.size()); }

Key& Key::operator=(Key&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  sodium_memzero(other.bytes_.data(), other.bytes_.size());
  return *this;
}

Key::~Key() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string Key::digits() const {
  std::string digits(2 * bytes_.size() + 1, '\0');
  sodium_bin2hex(digits.data(), digits.size(), bytes_.data(), bytes_.size());
  digits.pop_back();
  return digits;
}

std::string Key::name(std::string_view what, std::size_t size) const {
  std::string name(size, '\0');
  const int done = crypto_generichash(reinterpret_cast<unsigned char*>(name.data()), size,
                                      reinterpret_cast<const unsigned char*>(what.data()), what.size(), bytes_.data(),
                                      bytes_.size());
  RLTUNE_CHECK(done == 0);
  return name;
}

}  // namespace rltune::vault
