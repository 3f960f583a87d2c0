#include "x509.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <format>

namespace rltune::plant {
namespace {

using Memory = std::unique_ptr<BIO, Deleter<BIO_free>>;

Memory memory_of(std::string_view bytes) {
  return Memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

template <typename T, typename Encode>
std::string encode(T* object, Encode&& to_der) {
  unsigned char* bytes = nullptr;
  const int size = to_der(object, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  return der;
}

TimePoint to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return {};
  inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void read_alternative_names(X509* certificate, CertificateInfo& info) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI && info.application_uri.empty())
      info.application_uri = string_of(name->d.uniformResourceIdentifier);
    if (name->type == GEN_DNS) info.hosts.push_back(string_of(name->d.dNSName));
    if (name->type == GEN_IPADD) info.hosts.push_back(ip_text(name->d.iPAddress));
  }
  GENERAL_NAMES_free(names);
}

std::string subject_of(X509* certificate) {
  std::unique_ptr<BIO, Deleter<BIO_free>> memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string date(TimePoint time) { return format_rfc3339(time).substr(0, 10); }

}  // namespace

std::string openssl_reason() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

Certificate take_der(std::string_view& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  ERR_clear_error();
  if (certificate) der.remove_prefix(static_cast<std::size_t>(reinterpret_cast<const char*>(bytes) - der.data()));
  return certificate;
}

Certificate parse_certificate(std::string_view bytes) {
  std::string_view der = bytes;
  if (auto certificate = take_der(der)) return certificate;
  Certificate certificate(PEM_read_bio_X509(memory_of(bytes).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

Key parse_key(std::string_view bytes) {
  const auto* der = reinterpret_cast<const unsigned char*>(bytes.data());
  Key key(d2i_AutoPrivateKey(nullptr, &der, static_cast<long>(bytes.size())));
  // Nobody is there to be asked for a passphrase.
  const auto ask_nobody = [](char*, int, int, void*) { return -1; };
  if (!key) key.reset(PEM_read_bio_PrivateKey(memory_of(bytes).get(), nullptr, ask_nobody, nullptr));
  ERR_clear_error();
  return key;
}

std::string to_der(X509* certificate) {
  return encode(certificate, [](X509* x, unsigned char** out) { return i2d_X509(x, out); });
}

std::string key_to_der(EVP_PKEY* key) {
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(key));
  return encode(info.get(),
                [](PKCS8_PRIV_KEY_INFO* i, unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(i, out); });
}

std::string thumbprint_of(std::string_view der) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest.data());
  std::string text;
  for (unsigned char byte : digest) text += std::format("{:02X}", byte);
  return text;
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info;
  info.subject = subject_of(certificate);
  read_alternative_names(certificate, info);
  info.not_before = to_time(X509_get0_notBefore(certificate));
  info.not_after = to_time(X509_get0_notAfter(certificate));
  info.thumbprint = thumbprint_of(to_der(certificate));
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  info.key_bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
  return info;
}

Result<> check_period(const CertificateInfo& info, TimePoint now, const std::string& whose) {
  if (now < info.not_before)
    return fail(Errc::denied, std::format("{} is not valid before {}; is this computer's clock right?", whose,
                                          format_rfc3339(info.not_before)));
  if (now > info.not_after) return fail(Errc::denied, std::format("{} expired on {}", whose, date(info.not_after)));
  return {};
}

}  // namespace rltune::plant
