// Every route of the role, and who may go through it. Internal.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "alert_door.hpp"
#include "read_door.hpp"
#include "rltune/metrics/health.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/webserver/server.hpp"
#include "streams.hpp"

namespace rltune::collector {

// All of it outlives the server.
struct Behind {
  const Streams& streams;
  const metrics::Registry& registry;
  ReadDoor& reading;
  AlertDoor& alerts;
  const Clock& clock;
  std::function<nlohmann::ordered_json()> status;
};

// /healthcheck and /metrics are open on this host; /v1 asks for `Authorization: Bearer <token>`.
std::vector<webserver::Route> routes(const Behind& behind, const std::string& token);

// The buffers, as /healthcheck shows them.
std::vector<metrics::Check> checks_of(const Streams& streams);

}  // namespace rltune::collector
