// Makes an open62541 client or server judge its peers by an OpcuaPki, where its own default accepts all.
#pragma once

#include "rltune/plant/opcua_pki.hpp"

struct UA_CertificateVerification;

namespace rltune::plant {

// Replaces the plug-in: peers must be trusted, valid today and fit for use, and the application URI a
// peer claims must stand in its certificate. trusted/ is read anew at every handshake, so that trusting
// a peer needs no restart. Each refusal is logged with its reason; the peer learns only that it failed.
void install_trust(UA_CertificateVerification& plugin, const OpcuaPki& pki);

}  // namespace rltune::plant
