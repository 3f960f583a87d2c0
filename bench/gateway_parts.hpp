// The benchmarks of the gateway: the real process on a real site, callers on the same two cores.
#pragma once

#include <format>
#include <functional>
#include <nlohmann/json.hpp>

#include "http_load.hpp"
#include "parts.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/http/client.hpp"

namespace rltune::bench {

// What a call costs through gateway and coredinator to an agent and back, beside bare answers of the same web server
// and of Drogon; so many seconds each.
Rows gateway_calls(double seconds);
// So many rotations of the signing keys at half of what the gateway can answer.
Rows gateway_keys(double rotations);
// For so many seconds: 200 clients that watch 500 tags at 10 Hz, a tenth of which read nothing.
Rows gateway_live(double seconds);

// A GET of a caller who holds that token, as bytes.
inline std::string request_for(const std::string& path, const std::string& token) {
  return std::format("GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", path, token);
}
// By way of gateway and coredinator to the agent, which answers from what it has.
inline constexpr const char* kAgentHealth = "/api/v1/agents/climate/health";

// What so many callers had who asked again as soon as they were answered. Gives up where an answer is not 200.
struct Measured {
  std::vector<double> us;
  double per_s = 0.0;
};
inline Measured measure_calls(std::uint16_t port, std::size_t callers, const std::function<std::string()>& request,
                              Duration span, bool tls = true) {
  HttpLoad load({.port = port, .tls = tls}, callers);
  const WallClock clock;
  const Duration begin = clock.steady();
  Measured measured;
  load.run([&](std::size_t) { return clock.steady() - begin < span ? request() : std::string(); },
           [&](const HttpLoad::Answer& answer) {
             if (answer.status != 200) give_up(std::format("status {}", answer.status));
             measured.us.push_back(1e6 * to_seconds(answer.took));
           },
           span + std::chrono::seconds(10));
  measured.per_s = static_cast<double>(measured.us.size()) / to_seconds(clock.steady() - begin);
  return measured;
}

// A POST of the API that a gateway of this host serves.
inline Result<http::Response> post(const std::filesystem::path& certificate, std::uint16_t port,
                                   const std::string& path, const nlohmann::json& body, const std::string& token = {}) {
  http::Client client({.ca_file = certificate});
  http::Request request{.url = std::format("https://localhost:{}/api/v1{}", port, path),
                        .headers = {{"Content-Type", "application/json"}},
                        .body = body.dump()};
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  return client.send(request);
}

// A bare answer over TLS, until it is killed: says its port on stdout.
int serve_echo(const char* certificate);

}  // namespace rltune::bench
