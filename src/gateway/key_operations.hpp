// Certificates and signing keys: one list of each with its end, and a rotation on demand.
#pragma once

#include "call.hpp"
#include "rltune/access/key_ring.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/bus/caller.hpp"

namespace rltune::gateway {

// `rotated` hears of each rotation on demand, for the audit. All outlive the handlers.
Handlers key_handlers(bus::Caller& caller, access::KeyRing& keys, const Clock& clock,
                      std::function<void(const Call&, const std::string& reason)> rotated);

}  // namespace rltune::gateway
