#include "rltune/access/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <format>
#include <memory>

#include "rltune/base/file.hpp"

namespace rltune::access {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const noexcept {
    kFree(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// Letters, digits, dots and hyphens: what else there may be in a list of names would be another entry of it.
bool is_host_name(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, allowed);
}

std::string text_of(const Bio& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string name_text(const X509_NAME* name) {
  const Bio bio(::BIO_new(::BIO_s_mem()));
  ::X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return text_of(bio);
}

TimePoint time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ::ASN1_TIME_to_tm(time, &parts);
  return TimePoint(std::chrono::seconds(::timegm(&parts)));
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes->length == 4 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, bytes->data, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::vector<std::string> names_of(const X509* certificate) {
  const Names names(
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> list;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS)
      list.emplace_back(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName)),
                        static_cast<std::size_t>(::ASN1_STRING_length(name->d.dNSName)));
    else if (name->type == GEN_IPADD)
      list.push_back(address_text(name->d.iPAddress));
  }
  return list;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::X509_digest(certificate, ::EVP_sha256(), digest.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += std::format("{}{:02X}", i == 0 ? "" : ":", digest[i]);
  return text;
}

bool add_extension(X509* to, X509* signer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, signer, to, nullptr, nullptr, 0);
  const Extension extension(::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && ::X509_add_ext(to, extension.get(), -1) == 1;
}

bool set_validity(X509* certificate, TimePoint begins, TimePoint ends) {
  const auto seconds = [](TimePoint time) {
    return std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(time));
  };
  return ::ASN1_TIME_set(::X509_getm_notBefore(certificate), seconds(begins)) != nullptr &&
         ::ASN1_TIME_set(::X509_getm_notAfter(certificate), seconds(ends)) != nullptr;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 8> bytes{};
  if (::RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  std::uint64_t serial = 0;
  for (const unsigned char byte : bytes) serial = serial << 8U | byte;
  return ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate), (serial >> 1U) | 1U) == 1;
}

Certificate self_signed(EVP_PKEY* key, const std::vector<std::string>& names, TimePoint begins, TimePoint ends) {
  Certificate certificate(::X509_new());
  X509* const made = certificate.get();
  X509_NAME* const subject = ::X509_get_subject_name(made);
  std::string alternatives;
  for (const std::string& name : names)
    alternatives += std::format("{}{}:{}", alternatives.empty() ? "" : ",", is_address(name) ? "IP" : "DNS", name);
  // 64 bytes are the most of a common name (RFC 5280); who checks looks at the alternatives.
  const std::string common = names.front().substr(0, 64);
  const bool whole =
      ::X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) && set_validity(made, begins, ends) &&
      ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.data()),
                                   static_cast<int>(common.size()), -1, 0) == 1 &&
      ::X509_set_issuer_name(made, subject) == 1 && ::X509_set_pubkey(made, key) == 1 &&
      add_extension(made, made, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(made, made, NID_key_usage, "critical,digitalSignature") &&
      add_extension(made, made, NID_ext_key_usage, "serverAuth") &&
      add_extension(made, made, NID_subject_key_identifier, "hash") &&
      add_extension(made, made, NID_subject_alt_name, alternatives) && ::X509_sign(made, key, ::EVP_sha256()) > 0;
  if (!whole) certificate.reset();
  return certificate;
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  const Bio bio(::BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  Certificate certificate(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text->data());
    certificate.reset(::d2i_X509(nullptr, &bytes, static_cast<long>(text->size())));
  }
  ::ERR_clear_error();
  if (certificate == nullptr) return fail(Errc::parse, file.string() + ": there is no certificate in it (PEM or DER)");
  return CertificateFacts{.subject = name_text(::X509_get_subject_name(certificate.get())),
                          .issuer = name_text(::X509_get_issuer_name(certificate.get())),
                          .names = names_of(certificate.get()),
                          .begins = time_of(::X509_get0_notBefore(certificate.get())),
                          .ends = time_of(::X509_get0_notAfter(certificate.get())),
                          .fingerprint = fingerprint_of(certificate.get())};
}

Result<> make_certificate(const std::filesystem::path& file, const std::vector<std::string>& names, TimePoint now,
                          std::chrono::days valid_for) {
  if (names.empty()) return fail(Errc::invalid_argument, "a certificate is for one name at least");
  for (const std::string& name : names)
    if (!is_address(name) && !is_host_name(name))
      return fail(Errc::invalid_argument, std::format("'{}' is neither a host's name nor an address", name));
  const Key key(::EVP_EC_gen("P-256"));
  // From a day before: the clock of who looks at it may be behind.
  const auto made =
      key == nullptr ? nullptr : self_signed(key.get(), names, now - std::chrono::days(1), now + valid_for);
  const Bio pem(::BIO_new(::BIO_s_secmem()));
  if (made == nullptr || ::PEM_write_bio_X509(pem.get(), made.get()) != 1 ||
      ::PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(Errc::internal, "OpenSSL cannot make a certificate");
  return write_secret_file(file, text_of(pem));
}

std::optional<int> days_alarm(TimePoint ends, TimePoint now) {
  if (ends <= now) return 0;
  for (const int days : {1, 7, 30})
    if (ends - now <= std::chrono::days(days)) return days;
  return std::nullopt;
}

}  // namespace rltune::access
