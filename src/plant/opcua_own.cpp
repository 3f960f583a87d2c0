// Our own pair: made, loaded, followed by another.
#include <openssl/err.h>

#include <format>

#include "rltune/base/file.hpp"
#include "x509.hpp"

namespace rltune::plant {
namespace {

namespace fs = std::filesystem;

// Clocks of two machines differ.
constexpr auto kSlack = std::chrono::hours(1);

bool there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

bool belong_together(const Certificate& certificate, const Key& key) {
  const bool fit = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fit;
}

// Whether these files are a pair. False as well where one of them is none, or cannot be read.
bool are_pair(const fs::path& certificate_file, const fs::path& key_file) {
  const auto certificate = read_file(certificate_file);
  const auto key = read_file(key_file);
  return certificate && key && belong_together(parse_certificate(*certificate), parse_key(*key));
}

Result<Identity> load_pair(const fs::path& certificate_file, const fs::path& key_file, TimePoint now) {
  const auto certificate_bytes = read_file(certificate_file);
  if (!certificate_bytes) return std::unexpected(certificate_bytes.error());
  const auto key_bytes = read_file(key_file);
  if (!key_bytes) return std::unexpected(key_bytes.error());
  const auto certificate = parse_certificate(*certificate_bytes);
  const auto key = parse_key(*key_bytes);
  if (!certificate) return fail(Errc::parse, certificate_file.string() + " is no X.509 certificate");
  if (!key) return fail(Errc::parse, key_file.string() + " is no private key in DER or PEM form without a passphrase");
  if (!belong_together(certificate, key))
    return fail(Errc::denied, std::format("{} does not belong to {}", key_file.string(), certificate_file.string()));
  const auto info = describe(certificate.get());
  if (auto valid = check_period(info, now, "our certificate " + certificate_file.string()); !valid)
    return std::unexpected(valid.error());
  return Identity{to_der(certificate.get()), key_to_der(key.get()), info.application_uri};
}

Result<> check_application(const Identity& identity, const std::string& wanted, const fs::path& file) {
  if (wanted.empty() || identity.application_uri == wanted) return {};
  return fail(Errc::denied, std::format("our certificate {} is for '{}', and this application is '{}'; delete both "
                                        "files in own/ to make new ones, then trust them at the peer",
                                        file.string(), identity.application_uri, wanted));
}

// Empty: it cannot be read, or is no certificate.
std::string der_of(const fs::path& certificate_file) {
  const auto bytes = read_file(certificate_file);
  const auto certificate = bytes ? parse_certificate(*bytes) : Certificate();
  return certificate ? to_der(certificate.get()) : std::string();
}

Result<> keep_copy(const fs::path& from, const fs::path& to) {
  return read_file(from).and_then([&to](const std::string& bytes) { return write_file(to, bytes); });
}

Result<> keep_secret_copy(const fs::path& from, const fs::path& to) {
  return read_file(from).and_then([&to](const std::string& bytes) { return write_secret_file(to, bytes); });
}

// What was kept of a key, where making its certificate was cut short.
std::string kept(const fs::path& key_file) {
  auto bytes = read_file(key_file);
  return bytes && parse_key(*bytes) ? std::move(*bytes) : std::string();
}

}  // namespace

Result<Identity> OpcuaPki::identity(const CertificateRequest& request, TimePoint now) const {
  const fs::path certificate = own("cert.der"), key = own("key.der");
  if (!there(certificate)) {
    const std::string key_bytes = kept(key);
    if (key_bytes.empty() && there(key)) return fail(Errc::not_found, "there is no " + certificate.string());
    auto made = make_identity(request, now - kSlack, key_bytes);
    if (!made) return made;
    if (auto done = write_secret_file(key, made->key); !done) return std::unexpected(done.error());
    if (auto done = write_file(certificate, made->certificate); !done) return std::unexpected(done.error());
    return made;
  }
  auto found = load_pair(certificate, key, now);
  // In the middle of use_next(), here or in another process, or cut short there: the next pair it is.
  if (!found && are_pair(own("next.der"), key))
    found = load_pair(own("next.der"), key, now);
  else if (!found)
    found = load_pair(certificate, key, now);
  if (!found) return found;
  if (auto fits = check_application(*found, request.application_uri, certificate); !fits)
    return std::unexpected(fits.error());
  return found;
}

Result<std::optional<Identity>> OpcuaPki::next(const CertificateRequest& request, TimePoint now) const {
  if (!there(own("next.der"))) return std::nullopt;
  auto found = load_pair(own("next.der"), own("next.key.der"), now);
  if (!found) return std::unexpected(found.error());
  if (auto fits = check_application(*found, request.application_uri, own("next.der")); !fits)
    return std::unexpected(fits.error());
  return std::optional(std::move(*found));
}

Result<bool> OpcuaPki::prepare_next(TimePoint now, Duration before) const {
  if (there(own("next.der")) || !there(own("cert.der"))) return false;
  const auto present = read_file(own("cert.der"));
  if (!present) return std::unexpected(present.error());
  const auto certificate = parse_certificate(*present);
  if (!certificate) return fail(Errc::parse, own("cert.der").string() + " is no X.509 certificate");
  if (describe(certificate.get()).not_after - now >= before) return false;
  const std::string key_bytes = kept(own("next.key.der"));
  if (key_bytes.empty() && there(own("next.key.der")))
    return fail(Errc::parse, own("next.key.der").string() + " is no private key, and stands where the next one goes");
  auto made = make_successor(*present, key_bytes, now - kSlack);
  if (!made) return std::unexpected(made.error());
  if (auto done = write_secret_file(own("next.key.der"), made->key); !done) return std::unexpected(done.error());
  if (auto done = write_file(own("next.der"), made->certificate); !done) return std::unexpected(done.error());
  return true;
}

Result<> OpcuaPki::settle() const {
  if (!there(own("next.der"))) return {};
  if (are_pair(own("cert.der"), own("key.der"))) {
    // Where both are one, the switch was done but for the clearing away.
    const std::string next = der_of(own("next.der"));
    return !next.empty() && next == der_of(own("cert.der")) ? clear_next() : Result<>();
  }
  if (!are_pair(own("next.der"), own("key.der"))) return {};  // a person's doing, and a person's to mend
  return finish_next();
}

Result<> OpcuaPki::use_next() const {
  if (auto settled = settle(); !settled) return settled;
  if (!are_pair(own("next.der"), own("next.key.der")))
    return fail(Errc::not_found, "there is no pair to follow in " + own("next.der").string());
  // A way back: put both over cert.der and key.der again.
  if (auto copied = keep_copy(own("cert.der"), own("previous.der")); !copied) return copied;
  if (auto copied = keep_secret_copy(own("key.der"), own("previous.key.der")); !copied) return copied;
  const auto key = read_file(own("next.key.der"));
  if (!key) return std::unexpected(key.error());
  if (auto done = write_secret_file(own("key.der"), key_to_der(parse_key(*key).get())); !done) return done;
  return finish_next();
}

// key.der is the next one's already.
Result<> OpcuaPki::finish_next() const {
  if (auto done = write_file(own("cert.der"), der_of(own("next.der"))); !done) return done;
  return clear_next();
}

// The key first: a certificate alone says what is missing, a key alone would be taken for a new start.
Result<> OpcuaPki::clear_next() const {
  for (const char* name : {"next.key.der", "next.der"}) {
    std::error_code error;
    fs::remove(own(name), error);
    if (error) return fail(Errc::io, std::format("cannot remove {}: {}", own(name).string(), error.message()));
  }
  return {};
}

}  // namespace rltune::plant
