// A key as a provider has it: its public half as it shows it, and what it signs.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/access/base64url.hpp"

namespace rltune::gateway {

class ProviderKey {
 public:
  // "RS256", "ES256" or "EdDSA"; `bits`: of RSA.
  ProviderKey(std::string algorithm, std::string id, unsigned bits = 2048)
      : algorithm_(std::move(algorithm)), id_(std::move(id)) {
    if (algorithm_ == "RS256") key_ = EVP_RSA_gen(bits);
    if (algorithm_ == "ES256") key_ = EVP_EC_gen("P-256");
    if (algorithm_ == "EdDSA") key_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  ProviderKey(const ProviderKey&) = delete;
  ProviderKey& operator=(const ProviderKey&) = delete;
  ~ProviderKey() { EVP_PKEY_free(key_); }

  nlohmann::json jwk() const {
    nlohmann::json shown{{"kid", id_}, {"alg", algorithm_}, {"use", "sig"}};
    if (algorithm_ == "RS256") {
      shown.update({{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N, 0)}, {"e", number(OSSL_PKEY_PARAM_RSA_E, 0)}});
    } else if (algorithm_ == "ES256") {
      shown.update({{"kty", "EC"},
                    {"crv", "P-256"},
                    {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, 32)},
                    {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)}});
    } else {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_, reinterpret_cast<unsigned char*>(raw.data()), &size);
      shown.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", access::to_base64url(raw)}});
    }
    return shown;
  }

  std::string token(const nlohmann::json& claims) const { return token(claims, {{"alg", algorithm_}, {"kid", id_}}); }
  std::string token(const nlohmann::json& claims, const nlohmann::json& header) const {
    const std::string text = access::to_base64url(header.dump()) + "." + access::to_base64url(claims.dump());
    return text + "." + access::to_base64url(sign(text));
  }

 private:
  std::string number(const char* name, int width) const {
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(key_, name, &n);
    std::string bytes(static_cast<std::size_t>(std::max(width, BN_num_bytes(n))), '\0');
    BN_bn2binpad(n, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(n);
    return access::to_base64url(bytes);
  }
  std::string sign(std::string_view text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context, nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_);
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    signature.resize(size);
    if (algorithm_ != "ES256") return signature;
    const auto* der = reinterpret_cast<const unsigned char*>(signature.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(signature.size()));
    std::string both(64, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(both.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32);
    ECDSA_SIG_free(pair);
    return both;
  }

  std::string algorithm_, id_;
  EVP_PKEY* key_ = nullptr;
};

}  // namespace rltune::gateway
