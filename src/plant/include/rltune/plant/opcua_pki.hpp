// The keys and certificates of one OPC UA application, client or server, in a folder:
//
//   own/cert.der     our application certificate, self-signed, made on first use
//   own/key.der      its private key, readable by the owner alone
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

// A self-signed certificate valid from `not_before`; for servers' own use and for tests of dates.
Result<Identity> make_identity(const CertificateRequest& request, TimePoint not_before);

class OpcuaPki {
 public:
  // Makes the folders that are missing. Errors: io.
  static Result<OpcuaPki> open(const std::filesystem::path& folder);

  // Loads own/, or makes it when there is none. Errors: denied (expired, not yet valid, another
  // application URI than the request's, key and certificate that do not belong together), io, parse.
  Result<Identity> identity(const CertificateRequest& request, TimePoint now) const;

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
  std::filesystem::path folder_;
};

}  // namespace rltune::plant
