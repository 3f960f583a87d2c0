// Messages about certificates and the keys that sign tokens: what there is, and when it ends.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/api/site.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::array<std::string_view, 3> kKeyStates{"next", "signing", "verifying"};

struct CertificateInfo {
  static constexpr std::string_view kSchema = "Certificate";
  std::string name, file, subject, issuer, fingerprint, trouble;
  std::optional<TimePoint> begins, ends;
  std::optional<double> days_left;
};
template <typename Visitor>
void describe(Visitor& v, CertificateInfo& certificate) {
  v.field("name", certificate.name, {.note = "what it is for: \"gateway\", \"plant: ours\""});
  v.field("file", certificate.file, {.note = "from the site's folder"});
  v.field("subject", certificate.subject, {.note = "\"CN=plant-7\""});
  v.field("issuer", certificate.issuer, {.note = "the same where it signed itself"});
  v.field("fingerprint", certificate.fingerprint, {.note = "SHA-256"});
  v.field("trouble", certificate.trouble, {.note = "why it cannot be read; empty: it can"});
  v.field("begins", certificate.begins, {.note = "missing: it cannot be read"});
  v.field("ends", certificate.ends, {.note = "missing: it cannot be read"});
  v.field("days_left", certificate.days_left, {.note = "alarms are raised at 30, 7 and 1; negative: it has ended"});
}

struct CertificateList {
  static constexpr std::string_view kSchema = "CertificateList";
  std::vector<CertificateInfo> certificates;
};
template <typename Visitor>
void describe(Visitor& v, CertificateList& list) {
  v.field("certificates", list.certificates, {.note = "all that the site uses"});
}

struct SigningKey {
  static constexpr std::string_view kSchema = "SigningKey";
  std::string id, state;
  std::optional<TimePoint> made, until;
};
template <typename Visitor>
void describe(Visitor& v, SigningKey& key) {
  v.field("id", key.id, {.note = "its thumbprint (RFC 7638), `kid` in a token"});
  v.field("state", key.state, {.note = "next: published before it signs anything", .words = kKeyStates});
  v.field("made", key.made, {.note = "when"});
  v.field("until", key.until, {.note = "signing: rotated then; verifying: forgotten then; missing: not known yet"});
}

struct SigningKeys {
  static constexpr std::string_view kSchema = "SigningKeys";
  std::vector<SigningKey> keys;
};
template <typename Visitor>
void describe(Visitor& v, SigningKeys& list) {
  v.field("keys", list.keys, {.note = "of the tokens; the same are in /.well-known/jwks.json"});
}

struct KeyRotation {
  static constexpr std::string_view kSchema = "KeyRotation";
  std::string reason;
};
template <typename Visitor>
void describe(Visitor& v, KeyRotation& rotation) {
  v.field("reason", rotation.reason, {.note = "for the record", .length_max = kReasonMax});
}

}  // namespace rltune::api
