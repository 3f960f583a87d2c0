#include "rltune/plant/opcua_pki.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <ctime>
#include <format>

#include "rltune/base/file.hpp"

namespace rltune::plant {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

std::string openssl_reason() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

// Takes the first certificate off the front.
Certificate take_der(std::string_view& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  ERR_clear_error();
  if (certificate) der.remove_prefix(static_cast<std::size_t>(reinterpret_cast<const char*>(bytes) - der.data()));
  return certificate;
}

Certificate parse_der(std::string_view der) { return take_der(der); }

Certificate parse_any(std::string_view bytes) {
  if (auto certificate = parse_der(bytes)) return certificate;
  std::unique_ptr<BIO, Deleter<BIO_free>> memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
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

std::string to_der(X509* certificate) {
  return encode(certificate, [](X509* x, unsigned char** out) { return i2d_X509(x, out); });
}

std::string key_to_der(EVP_PKEY* key) {
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(key));
  return encode(info.get(),
                [](PKCS8_PRIV_KEY_INFO* i, unsigned char** out) { return i2d_PKCS8_PRIV_KEY_INFO(i, out); });
}

Key parse_key(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  Key key(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(der.size())));
  ERR_clear_error();
  return key;
}

TimePoint to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

std::string thumbprint_of(std::string_view der) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest.data());
  std::string text;
  for (unsigned char byte : digest) text += std::format("{:02X}", byte);
  return text;
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

bool set_subject(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "RLTune") && add("CN", common_name) && X509_set_issuer_name(certificate, name) == 1;
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

std::string date(TimePoint time) { return format_rfc3339(time).substr(0, 10); }

Result<> check_period(const CertificateInfo& info, TimePoint now, const std::string& whose) {
  if (now < info.not_before)
    return fail(Errc::denied, std::format("{} is not valid before {}; is this computer's clock right?", whose,
                                          format_rfc3339(info.not_before)));
  if (now > info.not_after) return fail(Errc::denied, std::format("{} expired on {}", whose, date(info.not_after)));
  return {};
}

bool is_certificate_file(const std::filesystem::directory_entry& entry) {
  const auto extension = entry.path().extension();
  return entry.is_regular_file() && (extension == ".der" || extension == ".crt" || extension == ".pem");
}

// True when a chain leads from the peer's certificate to one we trust. The peer's certificate itself
// counts as an anchor, which is how self-signed ones are trusted. Dates are judged apart, with words.
bool chain_is_trusted(X509* peer, STACK_OF(X509) * others, const std::vector<std::string>& trusted) {
  std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> store(X509_STORE_new());
  for (const auto& der : trusted) {
    const auto anchor = parse_der(der);
    if (anchor) X509_STORE_add_cert(store.get(), anchor.get());
  }
  std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), peer, others) != 1) return false;
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_ANY);
  const bool trusted_chain = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (trusted_chain) return true;
  // A leaf out of its dates that we trust as such: check_period says so better than "untrusted".
  return (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID) &&
         X509_STORE_CTX_get_error_depth(context.get()) == 0;
}

}  // namespace

Result<CertificateInfo> read_certificate(std::string_view der) {
  const auto certificate = parse_der(der);
  if (!certificate) return fail(Errc::parse, "these bytes are no X.509 certificate in DER form");
  return describe(certificate.get());
}

Result<Identity> make_identity(const CertificateRequest& request, TimePoint not_before) {
  if (!is_plain(request.application_uri))
    return fail(Errc::invalid_argument, "a certificate needs an application URI without spaces or commas");
  if (request.key_bits < 2048 || request.key_bits > 4096)
    return fail(Errc::invalid_argument, "OPC UA's security policies want RSA keys of 2048 to 4096 bits");
  auto names = alternative_names(request);
  if (!names) return std::unexpected(names.error());

  const Key key(EVP_RSA_gen(static_cast<unsigned>(request.key_bits)));
  const Certificate certificate(X509_new());
  const bool made = key && certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    set_serial(certificate.get()) && set_period(certificate.get(), not_before, request.days) &&
                    set_subject(certificate.get(), request.common_name) &&
                    X509_set_pubkey(certificate.get(), key.get()) == 1 && set_extensions(certificate.get(), *names) &&
                    X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return fail(Errc::internal, "OpenSSL could not make a certificate: " + openssl_reason());
  return Identity{to_der(certificate.get()), key_to_der(key.get()), request.application_uri};
}

Result<OpcuaPki> OpcuaPki::open(const std::filesystem::path& folder) {
  for (const char* name : {"own", "trusted", "rejected"}) {
    std::error_code error;
    std::filesystem::create_directories(folder / name, error);
    if (error) return fail(Errc::io, std::format("cannot make {}: {}", (folder / name).string(), error.message()));
  }
  return OpcuaPki(folder);
}

Result<Identity> OpcuaPki::identity(const CertificateRequest& request, TimePoint now) const {
  const auto certificate_file = folder_ / "own" / "cert.der";
  const auto key_file = folder_ / "own" / "key.der";
  if (!std::filesystem::exists(certificate_file) && !std::filesystem::exists(key_file)) {
    // Valid from an hour ago: clocks of two machines differ.
    auto complete = request;
    if (complete.application_uri.empty()) complete.application_uri = "urn:" + this_host().front() + ":rltune";
    auto made = make_identity(complete, now - std::chrono::hours(1));
    if (!made) return made;
    if (auto done = write_secret_file(key_file, made->key); !done) return std::unexpected(done.error());
    if (auto done = write_file(certificate_file, made->certificate); !done) return std::unexpected(done.error());
    return made;
  }
  auto certificate_bytes = read_file(certificate_file);
  if (!certificate_bytes) return std::unexpected(certificate_bytes.error());
  auto key_bytes = read_file(key_file);
  if (!key_bytes) return std::unexpected(key_bytes.error());
  const auto certificate = parse_any(*certificate_bytes);
  const auto key = parse_key(*key_bytes);
  if (!certificate) return fail(Errc::parse, certificate_file.string() + " is no X.509 certificate");
  if (!key) return fail(Errc::parse, key_file.string() + " is no private key in DER form");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(Errc::denied, std::format("{} does not belong to {}", key_file.string(), certificate_file.string()));
  }
  const auto info = describe(certificate.get());
  if (!request.application_uri.empty() && info.application_uri != request.application_uri)
    return fail(Errc::denied, std::format("our certificate {} is for '{}', and this application is '{}'; delete both "
                                          "files in own/ to make new ones, then trust them at the peer",
                                          certificate_file.string(), info.application_uri, request.application_uri));
  if (auto valid = check_period(info, now, "our certificate " + certificate_file.string()); !valid)
    return std::unexpected(valid.error());
  return Identity{to_der(certificate.get()), std::move(*key_bytes), info.application_uri};
}

Result<std::vector<std::string>> OpcuaPki::trusted() const {
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "trusted", error)) {
    if (!is_certificate_file(entry)) continue;
    auto bytes = read_file(entry.path());
    if (!bytes) return std::unexpected(bytes.error());
    const auto certificate = parse_any(*bytes);
    if (!certificate) return fail(Errc::parse, entry.path().string() + " is no X.509 certificate");
    all.push_back(to_der(certificate.get()));
  }
  if (error) return fail(Errc::io, std::format("cannot read {}: {}", (folder_ / "trusted").string(), error.message()));
  return all;
}

Result<std::string> OpcuaPki::trust(const std::filesystem::path& certificate) const {
  auto bytes = read_file(certificate);
  if (!bytes) return std::unexpected(bytes.error());
  const auto parsed = parse_any(*bytes);
  if (!parsed) return fail(Errc::parse, certificate.string() + " is no X.509 certificate");
  return trust_der(to_der(parsed.get()));
}

Result<std::string> OpcuaPki::trust_der(std::string_view der) const {
  auto thumbprint = thumbprint_of(der);
  if (auto done = write_file(folder_ / "trusted" / (thumbprint + ".der"), der); !done)
    return std::unexpected(done.error());
  return thumbprint;
}

Result<> OpcuaPki::verify(std::string_view der, std::string_view application_uri, TimePoint now) const {
  std::string_view rest = der;
  const auto certificate = take_der(rest);
  if (!certificate) return fail(Errc::denied, "the peer's certificate is no X.509 certificate");
  const auto info = describe(certificate.get());
  const auto own_der = to_der(certificate.get());
  const auto whose = std::format("the peer's certificate ({}, thumbprint {})", info.subject, info.thumbprint);

  const auto judge = [&]() -> Result<> {
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_pop_free(s, X509_free); })> others(
        sk_X509_new_null());
    while (auto next = take_der(rest)) sk_X509_push(others.get(), next.release());
    auto anchors = trusted();
    if (!anchors) return std::unexpected(anchors.error());
    if (!chain_is_trusted(certificate.get(), others.get(), *anchors))
      return fail(Errc::denied, std::format("{} is not trusted; if it is the right one, copy {} to {}", whose,
                                            (folder_ / "rejected" / (info.thumbprint + ".der")).string(),
                                            (folder_ / "trusted").string()));
    if (auto valid = check_period(info, now, whose); !valid) return valid;
    if (info.key_bits < 2048)
      return fail(Errc::denied, std::format("{} has a key of {} bits; 2048 are the least", whose, info.key_bits));
    if (!application_uri.empty() && info.application_uri != application_uri)
      return fail(Errc::denied, std::format("{} names the application '{}', and '{}' was configured", whose,
                                            info.application_uri, application_uri));
    return {};
  };
  auto verdict = judge();
  // Kept for the engineer to look at; that it could not be kept changes no verdict.
  if (!verdict && info.key_bits > 0) (void)write_file(folder_ / "rejected" / (info.thumbprint + ".der"), own_der);
  return verdict;
}

}  // namespace rltune::plant
