#include "rltune/audit/head.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "rltune/audit-head/v1";
constexpr std::string_view kBeforeSignature = R"(,"signature":")";
constexpr std::string_view kAfterSignature = R"("})";
constexpr std::size_t kSignatureDigits = 2 * crypto_sign_BYTES;
constexpr std::size_t kKeyDigits = 2 * crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t kHeadBytesMax = 4096;

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  std::string text(2 * size + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, size);
  text.pop_back();
  return text;
}

bool from_hex(std::string_view text, unsigned char* bytes, std::size_t size) {
  std::size_t length = 0;
  // Upper case would be a second way of writing the same.
  return text.size() == 2 * size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         sodium_hex2bin(bytes, size, text.data(), text.size(), nullptr, &length, nullptr) == 0 && length == size;
}

// Two processes may begin at once: the first link wins and both use it.
Result<std::string> make_seed(const std::filesystem::path& file) {
  std::error_code code;
  std::filesystem::create_directories(file.parent_path(), code);
  unsigned char seed[crypto_sign_SEEDBYTES];
  randombytes_buf(seed, sizeof seed);
  const std::filesystem::path own = file.string() + std::format(".{}", ::getpid());
  auto written = write_secret_file(own, to_hex(seed, sizeof seed) + "\n");
  sodium_memzero(seed, sizeof seed);
  if (!written) return std::unexpected(written.error());
  std::filesystem::create_hard_link(own, file, code);
  std::error_code ignored;
  std::filesystem::remove(own, ignored);
  const auto found = find_secret("audit-key", file);
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(Errc::io, std::format("cannot make the key {}: {}", file.string(), code.message()));
  return **found;
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::parse, std::format("it is no head of an audit log: {}", why));
}

}  // namespace

Result<SigningKey> SigningKey::find_or_make(const std::filesystem::path& audit_folder) {
  if (::sodium_init() < 0) return fail(Errc::internal, "libsodium cannot be used on this machine");
  const std::filesystem::path file = audit_folder / "key";
  auto found = find_secret("audit-key", file);
  if (!found) return std::unexpected(found.error());
  Result<std::string> seed = *found ? Result<std::string>(**found) : make_seed(file);
  if (!seed) return std::unexpected(seed.error());
  auto key = of_seed(*seed);
  sodium_memzero(seed->data(), seed->size());
  if (!key) return fail(key.error().code, "the audit log's key: " + key.error().message);
  const std::filesystem::path open = audit_folder / "key.pub";
  if (const auto known = read_public_key(open); known && *known == key->public_key_) return key;
  if (auto written = write_file(open, key->public_key_ + "\n"); !written) return std::unexpected(written.error());
  return key;
}

Result<SigningKey> SigningKey::of_seed(std::string_view digits) {
  if (::sodium_init() < 0) return fail(Errc::internal, "libsodium cannot be used on this machine");
  unsigned char bytes[crypto_sign_SEEDBYTES];
  const bool good = from_hex(digits, bytes, sizeof bytes);
  sodium_memzero(bytes, sizeof bytes);
  if (!good) return fail(Errc::parse, "it is not 64 hexadecimal digits; make one: openssl rand -hex 32");
  return SigningKey(digits);
}

SigningKey::SigningKey(std::string_view seed) {
  static_assert(sizeof secret_ == crypto_sign_SECRETKEYBYTES);
  unsigned char bytes[crypto_sign_SEEDBYTES], open[crypto_sign_PUBLICKEYBYTES];
  RLTUNE_CHECK(from_hex(seed, bytes, sizeof bytes));
  crypto_sign_seed_keypair(open, secret_, bytes);
  sodium_memzero(bytes, sizeof bytes);
  public_key_ = to_hex(open, sizeof open);
}

SigningKey::SigningKey(SigningKey&& other) noexcept : public_key_(std::move(other.public_key_)) {
  std::memcpy(secret_, other.secret_, sizeof secret_);
  sodium_memzero(other.secret_, sizeof other.secret_);
}

SigningKey::~SigningKey() { sodium_memzero(secret_, sizeof secret_); }

std::string SigningKey::sign(std::string_view bytes) const {
  unsigned char signature[crypto_sign_BYTES];
  crypto_sign_detached(signature, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), secret_);
  return to_hex(signature, sizeof signature);
}

bool is_signed_by(std::string_view public_key, std::string_view bytes, std::string_view signature) {
  unsigned char raw[crypto_sign_BYTES], key[crypto_sign_PUBLICKEYBYTES];
  return ::sodium_init() >= 0 && from_hex(public_key, key, sizeof key) && from_hex(signature, raw, sizeof raw) &&
         crypto_sign_verify_detached(raw, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key) == 0;
}

std::string encode(Head& head, const SigningKey& key) {
  head.key = key.public_key();
  const ordered_json object{{"head", kFormat},
                            {"role", head.role},
                            {"seq", head.sequence},
                            {"hash", head.hash},
                            {"file", head.file},
                            {"count", head.count},
                            {"time", format_rfc3339(head.time)},
                            {"key", head.key}};
  std::string body = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  body.pop_back();
  return std::format("{}{}{}{}\n", body, kBeforeSignature, key.sign(body), kAfterSignature);
}

Result<Head> decode_head(std::string_view bytes) {
  constexpr std::size_t kTail = kBeforeSignature.size() + kSignatureDigits + kAfterSignature.size();
  if (bytes.size() <= kTail || bytes.size() > kHeadBytesMax || !bytes.ends_with(kAfterSignature) ||
      bytes.substr(bytes.size() - kTail, kBeforeSignature.size()) != kBeforeSignature)
    return malformed("it does not end in its signature");
  const std::string_view body = bytes.substr(0, bytes.size() - kTail);
  const auto object = ordered_json::parse(std::string(body) + "}", nullptr, false);
  if (!object.is_object() || object.size() != 8 || object.value("head", ordered_json()) != kFormat)
    return malformed("its format is another one");
  for (const char* name : {"role", "hash", "file", "time", "key"})
    if (!object.contains(name) || !object[name].is_string()) return malformed("a field is missing");
  for (const char* name : {"seq", "count"})
    if (!object.contains(name) || !object[name].is_number_unsigned()) return malformed("a field is missing");
  const auto time = parse_rfc3339(object["time"].get_ref<const std::string&>());
  if (!time) return malformed(time.error().message);
  unsigned char signature[crypto_sign_BYTES], key[crypto_sign_PUBLICKEYBYTES];
  if (!from_hex(object["key"].get_ref<const std::string&>(), key, sizeof key) ||
      !from_hex(bytes.substr(body.size() + kBeforeSignature.size(), kSignatureDigits), signature, sizeof signature))
    return malformed("its key or signature is not hexadecimal");
  if (crypto_sign_verify_detached(signature, reinterpret_cast<const unsigned char*>(body.data()), body.size(), key) !=
      0)
    return fail(Errc::corrupt, "its signature is not that of its key");
  Head head;
  head.role = object["role"];
  head.file = object["file"];
  head.hash = object["hash"];
  head.sequence = object["seq"];
  head.count = object["count"];
  head.time = *time;
  head.key = object["key"];
  return head;
}

Result<std::string> read_public_key(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  while (text->ends_with('\n') || text->ends_with('\r') || text->ends_with(' ')) text->pop_back();
  unsigned char key[crypto_sign_PUBLICKEYBYTES];
  if (text->size() != kKeyDigits || !from_hex(*text, key, sizeof key))
    return fail(Errc::parse, std::format("{} is not a public key of {} hexadecimal digits", file.string(), kKeyDigits));
  return *text;
}

}  // namespace rltune::audit
