// Every route of the role, and who may go through it. Internal.
#pragma once

#include <string>
#include <vector>

#include "rltune/metrics/health.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/webserver/server.hpp"
#include "streams.hpp"

namespace rltune::collector {

struct Behind {
  const Streams& streams;
  const metrics::Registry& registry;
};

// /healthcheck and /metrics are open on this host; /v1 asks for `Authorization: Bearer <token>`.
std::vector<webserver::Route> routes(const Behind& behind, const std::string& token);

// The buffers, as /healthcheck shows them.
std::vector<metrics::Check> checks_of(const Streams& streams);

}  // namespace rltune::collector
