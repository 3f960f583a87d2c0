#include "rltune/plant/opcua_trust.hpp"

#include <open62541/plugin/pki.h>

#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "ua.hpp"

namespace rltune::plant {
namespace {

UA_StatusCode verify_certificate(const UA_CertificateVerification* plugin, const UA_ByteString* certificate) {
  const auto verdict =
      static_cast<const OpcuaPki*>(plugin->context)->verify(text_of(*certificate), {}, WallClock().now());
  if (verdict) return UA_STATUSCODE_GOOD;
  log::warning("an OPC UA peer was refused", {{"reason", verdict.error().message}});
  return UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
}

UA_StatusCode verify_application_uri(const UA_CertificateVerification*, const UA_ByteString* certificate,
                                     const UA_String* application_uri) {
  const auto info = read_certificate(text_of(*certificate));
  if (info && !info->application_uri.empty() && info->application_uri == text_of(*application_uri))
    return UA_STATUSCODE_GOOD;
  log::warning(
      "an OPC UA peer's certificate names another application",
      {{"certificate", info ? info->application_uri : ""}, {"claimed", std::string(text_of(*application_uri))}});
  return UA_STATUSCODE_BADCERTIFICATEURIINVALID;
}

UA_StatusCode expiration_date(UA_DateTime* date, UA_ByteString* certificate) {
  const auto info = read_certificate(text_of(*certificate));
  if (!info) return UA_STATUSCODE_BADCERTIFICATEINVALID;
  *date = to_ua_time(info->not_after);
  return UA_STATUSCODE_GOOD;
}

UA_StatusCode subject_name(UA_String* subject, UA_ByteString* certificate) {
  const auto info = read_certificate(text_of(*certificate));
  if (!info) return UA_STATUSCODE_BADCERTIFICATEINVALID;
  *subject = UA_String_fromChars(info->subject.c_str());
  return UA_STATUSCODE_GOOD;
}

void clear(UA_CertificateVerification* plugin) {
  delete static_cast<OpcuaPki*>(plugin->context);
  plugin->context = nullptr;
}

}  // namespace

void install_trust(UA_CertificateVerification& plugin, const OpcuaPki& pki) {
  if (plugin.clear != nullptr) plugin.clear(&plugin);
  const auto* logging = plugin.logging;
  plugin = {};
  plugin.context = new OpcuaPki(pki);
  plugin.verifyCertificate = verify_certificate;
  plugin.verifyApplicationURI = verify_application_uri;
  plugin.getExpirationDate = expiration_date;
  plugin.getSubjectName = subject_name;
  plugin.clear = clear;
  plugin.logging = logging;
}

}  // namespace rltune::plant
