#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

#include "rltune/webserver/server.hpp"

namespace rltune::webserver {

std::string_view reason(int status) {
  return boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
}

Response problem(int status, std::string_view detail) {
  const nlohmann::ordered_json body{{"type", "about:blank"},
                                    {"title", std::string(reason(status))},
                                    {"status", status},
                                    {"detail", std::string(detail)}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
          .type = "application/problem+json"};
}

}  // namespace rltune::webserver
