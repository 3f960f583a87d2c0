#include "rltune/vault/vault.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <format>
#include <nlohmann/json.hpp>
#include <ranges>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/secret.hpp"

namespace rltune::vault {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "rltune/encrypted/v1";
constexpr std::string_view kPrefix = "encrypted:v1:";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kIdHashBytes = 16;  // of which the first half is told
constexpr std::size_t kHeadBytes = kPrefix.size() + kIdDigits + 1;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kTextBytesMax = 1U << 16U;
constexpr int kWriting = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kBodyDigitsMin = sodium_base64_ENCODED_LEN(kNonceBytes + kTagBytes, kWriting) - 1;
constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr const char* kSecretName = "storage-key";
constexpr const char* kNoteName = "encryption.json";
constexpr const char* kNoteFormat = "rltune/encryption/v1";
constexpr const char* kHowToGive =
    "give it as RLTUNE_STORAGE_KEY, as the systemd credential rltune-storage-key, or in storage.key_file of site.yaml";

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::string id_of(const Key& key) {
  std::string id;
  for (const char byte : key.name(kFormat, kIdHashBytes).substr(0, kIdDigits / 2))
    id += std::format("{:02x}", static_cast<unsigned char>(byte));
  return id;
}

// Each part with its length, so that no two places give the same bytes.
std::string bound_data(std::string_view id, const Place& place) {
  std::string bytes;
  for (const std::string_view part : {kFormat, id, place.table, place.column, std::string_view(place.row)}) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((size >> shift) & 0xFFU);
    bytes += part;
  }
  return bytes;
}

bool all_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

// A value of ours, also where a byte of its prefix was changed: that may not pass for plain text.
bool looks_encrypted(std::string_view text) {
  if (text.starts_with(kPrefix)) return true;
  return text.size() >= kHeadBytes + kBodyDigitsMin && text[kHeadBytes - 1] == ':' &&
         all_of(text.substr(kPrefix.size(), kIdDigits), kHexadecimal) && all_of(text.substr(kHeadBytes), kBase64);
}

std::unexpected<Error> damaged() { return fail(Errc::corrupt, "it is not what was written here"); }

std::string encrypt(std::string_view text, const Place& place, std::string_view id, const Key& key) {
  std::string sealed(kNonceBytes + text.size() + kTagBytes, '\0');
  randombytes_buf(sealed.data(), kNonceBytes);
  const std::string bound = bound_data(id, place);
  const int done =
      crypto_aead_xchacha20poly1305_ietf_encrypt(raw(sealed) + kNonceBytes, nullptr, raw(text), text.size(), raw(bound),
                                                 bound.size(), nullptr, raw(sealed), key.data());
  RLTUNE_CHECK(done == 0);
  std::string digits(sodium_base64_encoded_len(sealed.size(), kWriting), '\0');
  sodium_bin2base64(digits.data(), digits.size(), raw(sealed), sealed.size(), kWriting);
  digits.pop_back();
  return std::format("{}{}:{}", kPrefix, id, digits);
}

Result<std::string> decrypt(std::string_view digits, const Place& place, std::string_view id, const Key& key) {
  std::string sealed(digits.size(), '\0');
  std::size_t size = 0;
  // libsodium 1.0.18 takes bytes above 127 for letters.
  if (!all_of(digits, kBase64) ||
      sodium_base642bin(raw(sealed), sealed.size(), digits.data(), digits.size(), nullptr, &size, nullptr, kWriting) !=
          0 ||
      size < kNonceBytes + kTagBytes)
    return damaged();
  std::string text(size - kNonceBytes - kTagBytes, '\0');
  const std::string bound = bound_data(id, place);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(text), nullptr, nullptr, raw(sealed) + kNonceBytes,
                                                 size - kNonceBytes, raw(bound), bound.size(), raw(sealed),
                                                 key.data()) != 0)
    return damaged();
  return text;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text)
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
      words.emplace_back();
    else
      words.back() += c;
  std::erase(words, std::string());
  return words;
}

Result<std::vector<Key>> keys_of(std::string_view text) {
  std::vector<Key> keys;
  for (const std::string& word : words_of(text)) {
    auto key = Key::parse(word);
    if (!key) return std::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return fail(Errc::parse, "the key is not 64 hexadecimal digits");
  return keys;
}

}  // namespace

Result<> Vault::take_keys(const std::filesystem::path& key_file) {
  const auto text = find_secret(kSecretName, key_file);
  if (!text) return std::unexpected(text.error());
  if (!*text)
    return fail(Errc::not_found,
                key_file.empty() ? std::string("it is not there") : std::format("{} is not there", key_file.string()));
  const auto keys = keys_of(**text);
  if (!keys) return std::unexpected(keys.error());
  std::vector<Named> named;
  for (const Key& key : *keys) named.push_back({id_of(key), key});
  keys_ = std::make_shared<const std::vector<Named>>(std::move(named));
  return {};
}

Vault Vault::with(const std::vector<Key>& keys) {
  RLTUNE_CHECK(!keys.empty());
  Vault vault;
  vault.encrypts_ = true;
  std::vector<Named> named;
  for (const Key& key : keys) named.push_back({id_of(key), key});
  vault.keys_ = std::make_shared<const std::vector<Named>>(std::move(named));
  return vault;
}

Vault Vault::from(const Settings& settings) {
  Vault vault;
  vault.encrypts_ = settings.encrypted;
  if (auto taken = vault.take_keys(settings.key_file); !taken && settings.encrypted)
    vault.trouble_ = std::format("{}; {}", taken.error().message, kHowToGive);
  return vault;
}

Vault Vault::of(const std::filesystem::path& data) {
  const std::filesystem::path note = data / kNoteName;
  const auto text = read_file(note);
  std::error_code code;
  // Without a note a key reads all the same: what was encrypted before, or elsewhere.
  if (!text && !std::filesystem::exists(note, code) && !code) return from({});
  const auto object = text ? ordered_json::parse(*text, nullptr, false) : ordered_json();
  const auto field = [&](const char* name) {
    return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                   : std::string();
  };
  Vault vault = from({.encrypted = true, .key_file = field("key_file")});
  if (field("format") != kNoteFormat)
    vault.trouble_ = std::format("{} cannot be read; start the site again", note.string());
  return vault;
}

Vault Vault::beside(const std::filesystem::path& folder) {
  std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return of(path.parent_path());
}

Result<> Vault::allows() const {
  if (!encrypts_ || keys_) return {};
  return fail(Errc::not_found,
              std::format("who does what and why is kept encrypted here, and the key cannot be used: {}", trouble_));
}

std::string Vault::key_id() const { return keys_ ? keys_->front().id : std::string(); }

const Vault::Named* Vault::find(std::string_view id) const noexcept {
  if (!keys_) return nullptr;
  const auto found = std::ranges::find(*keys_, id, &Named::id);
  return found == keys_->end() ? nullptr : &*found;
}

std::string Vault::put(std::string_view text, const Place& place) const {
  if (text.empty()) return {};
  // What only looks like one of ours has a blank before it and is none.
  if (!encrypts_) return looks_encrypted(text) ? std::format(" {}", text) : std::string(text);
  if (!keys_) return kWithheld;
  return encrypt(text.substr(0, kTextBytesMax), place, keys_->front().id, keys_->front().key);
}

Result<std::string> Vault::open(std::string_view stored, const Place& place) const {
  if (!looks_encrypted(stored)) return std::string(stored);
  if (!stored.starts_with(kPrefix) || stored.size() < kHeadBytes + kBodyDigitsMin || stored[kHeadBytes - 1] != ':' ||
      stored.size() > 2 * kTextBytesMax)
    return damaged();
  const std::string_view id = stored.substr(kPrefix.size(), kIdDigits);
  if (!all_of(id, kHexadecimal)) return damaged();
  const Named* key = find(id);
  if (key == nullptr) return fail(Errc::denied, std::format("encrypted (key {})", id));
  return decrypt(stored.substr(kHeadBytes), place, id, key->key);
}

std::string Vault::show(std::string_view stored, const Place& place) const {
  auto text = open(stored, place);
  if (text) return *std::move(text);
  return text.error().code == Errc::denied ? text.error().message : std::format("damaged ({})", text.error().message);
}

Result<> declare(const std::filesystem::path& data, const Settings& settings) {
  const std::filesystem::path note = data / kNoteName;
  std::error_code code;
  if (!settings.encrypted) {
    std::filesystem::remove(note, code);
    return code ? fail(Errc::io, std::format("cannot remove {}: {}", note.string(), code.message())) : Result<>{};
  }
  const std::string text = ordered_json{{"format", kNoteFormat}, {"key_file", settings.key_file.string()}}.dump(
                               2, ' ', false, ordered_json::error_handler_t::replace) +
                           "\n";
  if (const auto known = read_file(note); known && *known == text) return {};
  std::filesystem::create_directories(data, code);
  return write_file(note, text);
}

Result<> rotate(const std::filesystem::path& key_file) {
  const auto text = read_file(key_file);
  if (!text) return std::unexpected(text.error());
  const auto known = keys_of(*text);
  if (!known) return fail(known.error().code, std::format("{}: {}", key_file.string(), known.error().message));
  const auto key = Key::make();
  if (!key) return std::unexpected(key.error());
  std::string keys = key->digits() + "\n";
  for (const Key& old : *known) keys += old.digits() + "\n";
  return write_secret_file(key_file, keys);
}

}  // namespace rltune::vault
