// Certificates that we make for ourselves.
#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <format>

#include "x509.hpp"

namespace rltune::plant {
namespace {

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool is_ip(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::vector<std::string> this_host() {
  std::array<char, 256> name{};
  std::vector<std::string> hosts;
  if (gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') hosts.emplace_back(name.data());
  if (hosts.empty() || hosts.front() != "localhost") hosts.emplace_back("localhost");
  hosts.emplace_back("127.0.0.1");
  return hosts;
}

// A comma or line break would smuggle in another name: OpenSSL reads this text as a small language.
bool is_plain(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ','; });
}

Result<std::string> alternative_names(const CertificateRequest& request) {
  std::string text = "URI:" + request.application_uri;
  for (const auto& host : request.hosts.empty() ? this_host() : request.hosts) {
    if (!is_plain(host)) return fail(Errc::invalid_argument, "'" + host + "' is no host name for a certificate");
    text += (is_ip(host) ? ",IP:" : ",DNS:") + host;
  }
  return text;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return false;
  random[0] = static_cast<unsigned char>((random[0] & 0x7f) | 0x40);
  BIGNUM* number = BN_bin2bn(random.data(), random.size(), nullptr);
  const bool set = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_period(X509* certificate, TimePoint from, int days) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(from.time_since_epoch()).count();
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds) != nullptr &&
         ASN1_TIME_adj(X509_getm_notAfter(certificate), seconds, days, 0) != nullptr;
}

// As it stands in an issuer and a subject: they are the same.
bool set_names(X509* certificate, const X509_NAME* name) {
  return X509_set_subject_name(certificate, name) == 1 && X509_set_issuer_name(certificate, name) == 1;
}

bool set_subject(X509* certificate, const std::string& common_name) {
  const std::unique_ptr<X509_NAME, Deleter<X509_NAME_free>> name(X509_NAME_new());
  const auto add = [&name](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name.get(), field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "RLTune") && add("CN", common_name) && set_names(certificate, name.get());
}

// What Part 6, 6.2.2 asks of a self-signed application instance certificate.
bool set_extensions(X509* certificate, const std::string& names) {
  return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage,
                       "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         add_extension(certificate, NID_subject_alt_name, names);
}

// `subject`: null: the request's name.
Result<Identity> sign(const CertificateRequest& request, const X509_NAME* subject, EVP_PKEY* key,
                      TimePoint not_before) {
  auto names = alternative_names(request);
  if (!names) return std::unexpected(names.error());
  const Certificate certificate(X509_new());
  X509* made = certificate.get();
  const auto named = [&] {
    return subject != nullptr ? set_names(made, subject) : set_subject(made, request.common_name);
  };
  const bool done = key != nullptr && made != nullptr && X509_set_version(made, X509_VERSION_3) == 1 &&
                    set_serial(made) && set_period(made, not_before, request.days) && named() &&
                    X509_set_pubkey(made, key) == 1 && set_extensions(made, *names) &&
                    X509_sign(made, key, EVP_sha256()) > 0;
  if (!done) return fail(Errc::internal, "OpenSSL could not make a certificate: " + openssl_reason());
  return Identity{to_der(made), key_to_der(key), request.application_uri};
}

Key make_key(int bits) { return Key(EVP_RSA_gen(static_cast<unsigned>(bits))); }

}  // namespace

Result<Identity> make_identity(const CertificateRequest& request, TimePoint not_before, std::string_view key) {
  auto complete = request;
  if (complete.application_uri.empty()) complete.application_uri = "urn:" + this_host().front() + ":rltune";
  if (!is_plain(complete.application_uri))
    return fail(Errc::invalid_argument, "a certificate needs an application URI without spaces or commas");
  if (request.key_bits < 2048 || request.key_bits > 4096)
    return fail(Errc::invalid_argument, "OPC UA's security policies want RSA keys of 2048 to 4096 bits");
  return sign(complete, nullptr, (key.empty() ? make_key(request.key_bits) : parse_key(key)).get(), not_before);
}

Result<Identity> make_successor(std::string_view certificate, std::string_view key, TimePoint not_before) {
  const Certificate present = parse_certificate(certificate);
  if (!present) return fail(Errc::parse, "these bytes are no X.509 certificate");
  const CertificateInfo info = describe(present.get());
  CertificateRequest request{
      .application_uri = info.application_uri, .hosts = info.hosts, .key_bits = std::clamp(info.key_bits, 2048, 4096)};
  if (!is_plain(request.application_uri))
    return fail(Errc::invalid_argument, "our certificate names no application URI that another could be made for");
  std::erase_if(request.hosts, [](const std::string& host) { return !is_plain(host); });
  const Key pair = key.empty() ? make_key(request.key_bits) : parse_key(key);
  return sign(request, X509_get_subject_name(present.get()), pair.get(), not_before);
}

}  // namespace rltune::plant
