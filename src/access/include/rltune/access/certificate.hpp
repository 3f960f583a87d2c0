// The certificate of a server of HTTPS: made where nobody gave one, read, and watched for its end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

struct CertificateFacts {
  std::string subject, issuer;     // "CN=plant-7"; the same where it signed itself
  std::vector<std::string> names;  // host names and addresses that it is for
  TimePoint begins{}, ends{};
  std::string fingerprint;  // SHA-256, "AB:CD:...": what a person compares
};

// Of the first certificate in a file, PEM or DER. Errors: not_found, io; parse: there is none in it.
Result<CertificateFacts> read_certificate(const std::filesystem::path& file);

// A new key (P-256) and a certificate for these names that it signs itself, in one file (0600), so that both are the
// old ones or both are new after any crash. `names`: host names and addresses, at least one. Errors: invalid_argument:
// a name that is none; io.
Result<> make_certificate(const std::filesystem::path& file, const std::vector<std::string>& names, TimePoint now,
                          std::chrono::days valid_for = std::chrono::days(397));

// How near its end is: 30, 7 or 1 days or less are left; 0: it has ended. nullopt: there is time.
std::optional<int> days_alarm(TimePoint ends, TimePoint now);

}  // namespace rltune::access
