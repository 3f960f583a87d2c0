#include "key_operations.hpp"

#include "asking.hpp"
#include "rltune/api/certificate.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::gateway {
namespace {

Answer certificates(const v1::CertificatesAnswer& answered, TimePoint now) {
  api::CertificateList list;
  for (const v1::Certificate& certificate : answered.certificates()) {
    list.certificates.push_back({.name = certificate.name(),
                                 .file = certificate.file(),
                                 .subject = certificate.subject(),
                                 .issuer = certificate.issuer(),
                                 .fingerprint = certificate.fingerprint(),
                                 .trouble = certificate.trouble(),
                                 .begins = time_of(certificate.begins_unix_ns()),
                                 .ends = time_of(certificate.ends_unix_ns())});
    api::CertificateInfo& told = list.certificates.back();
    if (told.ends) told.days_left = to_seconds(*told.ends - now) / 86'400.0;
  }
  return answer(list);
}

Answer keys_of(const access::KeyRing& keys) {
  api::SigningKeys list;
  for (const access::KeyInfo& key : keys.keys()) {
    list.keys.push_back(
        {.id = key.id, .state = std::string(api::kKeyStates[static_cast<std::size_t>(key.state)]), .made = key.made});
    if (key.until != TimePoint{}) list.keys.back().until = key.until;
  }
  return answer(list);
}

}  // namespace

Handlers key_handlers(bus::Caller& caller, access::KeyRing& keys, const Clock& clock,
                      std::function<void(const Call&, const std::string& reason)> rotated) {
  Handlers handlers;
  handlers.emplace("listCertificates", [&caller, &clock](const CallPointer& call, const Done& done) {
    ask<v1::CertificatesAnswer>(
        caller, call, to("coredinator.Certificates", "coredinator"), v1::CertificatesRequest(),
        [&clock](const v1::CertificatesAnswer& answered) { return certificates(answered, clock.now()); }, done);
  });
  handlers.emplace("listKeys", [&keys](const CallPointer&, const Done& done) { done(keys_of(keys)); });
  handlers.emplace("rotateKeys", taking<api::KeyRotation>(
                                     [&keys, rotated = std::move(rotated)](
                                         const CallPointer& call, const api::KeyRotation& rotation, const Done& done) {
                                       if (const auto turned = keys.rotate(); !turned)
                                         return done(refusal_of(turned.error()));
                                       rotated(*call, rotation.reason);
                                       done(keys_of(keys));
                                     }));
  return handlers;
}

}  // namespace rltune::gateway
