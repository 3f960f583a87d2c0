// What the gateway tells of its API: the OpenAPI document, and a page for people.
#pragma once

#include <string_view>
#include <vector>

#include "rltune/webserver/server.hpp"

namespace rltune::gateway {

// GET /api/v1/openapi.json and GET /api/v1/docs. The page may hold its own style and nothing else.
std::vector<webserver::Route> document_routes(std::string_view version);

}  // namespace rltune::gateway
