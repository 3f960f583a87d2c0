// Certificates and keys as OpenSSL holds them, to and from the bytes that files and peers have. Internal.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "rltune/plant/opcua_pki.hpp"

namespace rltune::plant {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// Why the last call failed, as OpenSSL tells it.
std::string openssl_reason();

// Takes the first certificate (DER) off the front; null: there is none.
Certificate take_der(std::string_view& der);
// DER or PEM; null: it is neither, or its passphrase is not known.
Certificate parse_certificate(std::string_view bytes);
Key parse_key(std::string_view bytes);

std::string to_der(X509* certificate);
std::string key_to_der(EVP_PKEY* key);
std::string thumbprint_of(std::string_view der);
CertificateInfo describe(X509* certificate);

// Errors: denied: not valid at that time; `whose` begins the sentence.
Result<> check_period(const CertificateInfo& info, TimePoint now, const std::string& whose);

}  // namespace rltune::plant
