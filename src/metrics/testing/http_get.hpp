// A GET of a role's endpoint.
#pragma once

#include "http_exchange.hpp"

namespace rltune::metrics {

// `address`: "127.0.0.1:43123".
inline HttpAnswer http_get(const std::string& address, const std::string& path, int patience_ms = 5000) {
  const std::size_t colon = address.find(':');
  if (colon == std::string::npos) return {};
  return http_exchange(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))), "GET " + path, {},
                       patience_ms);
}

}  // namespace rltune::metrics
