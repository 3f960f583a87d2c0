#include "rltune/plant/opcua_pki.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <format>

#include "rltune/base/file.hpp"
#include "x509.hpp"

namespace rltune::plant {
namespace {

bool is_certificate_file(const std::filesystem::directory_entry& entry) {
  const auto extension = entry.path().extension();
  return entry.is_regular_file() && (extension == ".der" || extension == ".crt" || extension == ".pem");
}

// True when a chain leads from the peer's certificate to one we trust. The peer's certificate itself
// counts as an anchor, which is how self-signed ones are trusted. Dates are judged apart, with words.
bool chain_is_trusted(X509* peer, STACK_OF(X509) * others, const std::vector<std::string>& trusted) {
  std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> store(X509_STORE_new());
  for (const auto& der : trusted) {
    const auto anchor = parse_certificate(der);
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
  const auto certificate = take_der(der);
  if (!certificate) return fail(Errc::parse, "these bytes are no X.509 certificate in DER form");
  return describe(certificate.get());
}

Result<OpcuaPki> OpcuaPki::open(const std::filesystem::path& folder) {
  for (const char* name : {"own", "trusted", "rejected"}) {
    std::error_code error;
    std::filesystem::create_directories(folder / name, error);
    if (error) return fail(Errc::io, std::format("cannot make {}: {}", (folder / name).string(), error.message()));
  }
  return OpcuaPki(folder);
}

Result<std::vector<std::string>> OpcuaPki::trusted() const {
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "trusted", error)) {
    if (!is_certificate_file(entry)) continue;
    auto bytes = read_file(entry.path());
    if (!bytes) return std::unexpected(bytes.error());
    const auto certificate = parse_certificate(*bytes);
    if (!certificate) return fail(Errc::parse, entry.path().string() + " is no X.509 certificate");
    all.push_back(to_der(certificate.get()));
  }
  if (error) return fail(Errc::io, std::format("cannot read {}: {}", (folder_ / "trusted").string(), error.message()));
  return all;
}

Result<std::string> OpcuaPki::trust(const std::filesystem::path& certificate) const {
  auto bytes = read_file(certificate);
  if (!bytes) return std::unexpected(bytes.error());
  const auto parsed = parse_certificate(*bytes);
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
