#include "jwk.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "rltune/access/base64url.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kIdMax = 256, kEs256Half = 32, kEd25519Bytes = 32, kRsaBytesMin = 256, kRsaBytesMax = 1024;

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freeing<Free>>;
using Number = Owned<BIGNUM, &BN_free>;
using Key = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::string text_in(const api::Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Empty: missing, or no base64url.
std::string bytes_in(const api::Json& object, const char* name) {
  return access::from_base64url(text_in(object, name)).value_or("");
}

Key key_from(const char* type, OSSL_PARAM_BLD* parts) {
  const Owned<OSSL_PARAM, &OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(parts));
  const Owned<EVP_PKEY_CTX, &EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return {key, &EVP_PKEY_free};
}

Key rsa_key(const api::Json& json) {
  const std::string modulus = bytes_in(json, "n"), exponent = bytes_in(json, "e");
  if (modulus.size() < kRsaBytesMin || modulus.size() > kRsaBytesMax || modulus[0] == 0) return nullptr;
  if (exponent.empty() || exponent.size() > 4) return nullptr;
  const Number n = number_of(modulus), e = number_of(exponent);
  if (BN_num_bits(n.get()) < static_cast<int>(8 * kRsaBytesMin) || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) ||
      BN_is_one(e.get()))
    return nullptr;
  const Owned<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return key_from("RSA", parts.get());
}

Key p256_key(const api::Json& json) {
  const std::string x = bytes_in(json, "x"), y = bytes_in(json, "y");
  if (text_in(json, "crv") != "P-256" || x.size() != kEs256Half || y.size() != kEs256Half) return nullptr;
  const std::string point = "\x04" + x + y;
  const Owned<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return key_from("EC", parts.get());
}

Key ed25519_key(const api::Json& json) {
  const std::string x = bytes_in(json, "x");
  if (text_in(json, "crv") != "Ed25519" || x.size() != kEd25519Bytes) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()), &EVP_PKEY_free};
}

// JOSE writes the two numbers one behind the other (RFC 7518, 3.4), OpenSSL wants them in DER.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * kEs256Half) return {};
  const Owned<ECDSA_SIG, &ECDSA_SIG_free> pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), number_of(signature.substr(0, kEs256Half)).release(),
                 number_of(signature.substr(kEs256Half)).release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  std::string text(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return text;
}

}  // namespace

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  if (name == "RS256") return Algorithm::rs256;
  if (name == "ES256") return Algorithm::es256;
  if (name == "EdDSA" || name == "Ed25519") return Algorithm::eddsa;
  return std::nullopt;
}

Jwk::Jwk(std::string id, Algorithm algorithm, Key key)
    : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)) {}

std::optional<Jwk> Jwk::read(const api::Json& key) {
  if (!key.is_object() || (key.contains("use") && text_in(key, "use") != "sig")) return std::nullopt;
  const std::string kind = text_in(key, "kty");
  std::optional<Algorithm> algorithm;
  if (kind == "RSA") algorithm = Algorithm::rs256;
  if (kind == "EC") algorithm = Algorithm::es256;
  if (kind == "OKP") algorithm = Algorithm::eddsa;
  if (!algorithm || (key.contains("alg") && parse_algorithm(text_in(key, "alg")) != algorithm)) return std::nullopt;
  Key made = kind == "RSA" ? rsa_key(key) : kind == "EC" ? p256_key(key) : ed25519_key(key);
  std::string id = text_in(key, "kid");
  if (!made || id.size() > kIdMax) return std::nullopt;
  return Jwk(std::move(id), *algorithm, std::move(made));
}

bool Jwk::verify(std::string_view message, std::string_view signature) const {
  const std::string der = algorithm_ == Algorithm::es256 ? der_of(signature) : std::string(signature);
  const Owned<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  return context && !der.empty() && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(message), message.size()) == 1;
}

}  // namespace rltune::gateway
