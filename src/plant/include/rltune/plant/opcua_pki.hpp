// The keys and certificates of one OPC UA application, client or server, in a folder:
//
//   own/cert.der     our application certificate, self-signed, made on first use
//   own/key.der      its private key, readable by the owner alone
//   own/next.der, next.key.der          the pair that follows, DER or PEM: ours, made in time, or an operator's
//   own/previous.der, previous.key.der  the pair before it, kept for a way back
//   trusted/*.der    certificates of peers we talk to, or of the authorities that sign them
//   rejected/*.der   peers we refused: copy one to trusted/ to trust it
//
// A peer is accepted when its certificate is trusted, in its period of validity, fit for an application,
// and names the application URI that was configured (OPC UA Part 4, 6.1.3; Part 6, 6.2.2). Every refusal
// is Errc::denied and says why; the refused certificate is kept in rejected/.
//
// Threads: nothing here locks; two processes that share a folder see each other's whole files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::plant {

// What our own certificate says when it has to be made.
struct CertificateRequest {
  std::string application_uri;  // "urn:plant.example:rltune:io"; stands in the subject alternative name
  std::string common_name = "RLTune";
  std::vector<std::string> hosts;  // DNS names and IP addresses; empty: this host's name and localhost
  int days = 3650;
  int key_bits = 2048;  // 2048 to 4096: what Basic256Sha256 allows
};

struct Identity {
  std::string certificate;  // DER
  std::string key;          // DER, PKCS#8
  std::string application_uri;
};

struct CertificateInfo {
  std::string subject;          // "CN=RLTune,O=..."
  std::string application_uri;  // empty where it names none
  std::vector<std::string> hosts;
  TimePoint not_before{};
  TimePoint not_after{};
  std::string thumbprint;  // SHA-1 of the DER bytes in hexadecimal, as OPC UA tools show it
  int key_bits = 0;
};

// Errors: parse. `der` may be a chain; the first certificate counts.
Result<CertificateInfo> read_certificate(std::string_view der);

// A self-signed certificate valid from `not_before`; for servers' own use and for tests of dates. `key`: where there
// is one already.
Result<Identity> make_identity(const CertificateRequest& request, TimePoint not_before, std::string_view key = {});

// A self-signed certificate with the subject, the application URI and the hosts of another (DER or PEM) and a key of
// its own: a new one, or `key`.
Result<Identity> make_successor(std::string_view certificate, std::string_view key, TimePoint not_before);

class OpcuaPki {
 public:
  // Makes the folders that are missing. Errors: io.
  static Result<OpcuaPki> open(const std::filesystem::path& folder);

  // Loads own/, or makes it when there is none. Errors: denied (expired, not yet valid, another
  // application URI than the request's, key and certificate that do not belong together), io, parse.
  Result<Identity> identity(const CertificateRequest& request, TimePoint now) const;

  // The pair that follows; nullopt: there is none. Errors: as identity(), and not_found (one of the two is missing).
  Result<std::optional<Identity>> next(const CertificateRequest& request, TimePoint now) const;

  // Makes the pair that follows where ours ends within `before` and there is none yet; true: it did. Whatever lies
  // there stays as it is. Kills leave no half of it that the next call would not complete.
  Result<bool> prepare_next(TimePoint now, Duration before) const;

  // The next pair becomes ours, ours the previous one. A kill at any moment leaves one that identity() loads: the old
  // one or the next.
  Result<> use_next() const;

  // Finishes what a kill cut short.
  Result<> settle() const;

  // The DER bytes of every certificate in trusted/ (files *.der, *.crt and *.pem).
  Result<std::vector<std::string>> trusted() const;

  // Copies a certificate file (DER or PEM) to trusted/. Returns its thumbprint.
  Result<std::string> trust(const std::filesystem::path& certificate) const;
  Result<std::string> trust_der(std::string_view der) const;

  // Judges a peer's certificate or chain (DER); `application_uri` empty: any URI will do (a server
  // that accepts clients by trust alone). Errors: denied, with the reason and what to do.
  Result<> verify(std::string_view der, std::string_view application_uri, TimePoint now) const;

  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  explicit OpcuaPki(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path own(const char* name) const { return folder_ / "own" / name; }
  Result<> finish_next() const;
  Result<> clear_next() const;

  std::filesystem::path folder_;
};

}  // namespace rltune::plant
