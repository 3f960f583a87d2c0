#include "doors.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "log_door.hpp"

namespace rltune::collector {
namespace {

using webserver::Reply;
using webserver::Request;
using webserver::Response;

bool shows(const Request& request, const std::string& token) {
  const auto header = request.headers.find("authorization");
  const std::string wanted = "Bearer " + token;
  return header != request.headers.end() && header->second.size() == wanted.size() &&
         ::CRYPTO_memcmp(header->second.data(), wanted.data(), wanted.size()) == 0;
}

webserver::Handler guarded(const std::string& token, webserver::Handler handle) {
  return [token, handle = std::move(handle)](const Request& request, const Reply& reply) {
    if (shows(request, token)) return handle(request, reply);
    Response refusal = webserver::problem(401, "this asks for the token of telemetry.json in the run folder");
    refusal.headers["WWW-Authenticate"] = "Bearer";
    reply(std::move(refusal));
  };
}

Response health_of(const Streams& streams) {
  const auto checks = checks_of(streams);
  const bool healthy = std::ranges::all_of(checks, &metrics::Check::ok);
  nlohmann::ordered_json body{{"status", healthy ? "ok" : "failing"}, {"role", "telemetry"}};
  for (const auto& check : checks) body["checks"][check.name] = {{"ok", check.ok}, {"detail", check.detail}};
  return {.status = healthy ? 200 : 503, .body = body.dump(), .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace

std::vector<metrics::Check> checks_of(const Streams& streams) {
  std::vector<metrics::Check> checks;
  for (const auto& [name, intake] : {std::pair{"logs", &streams.logs()}, std::pair{"metrics", &streams.metrics()}}) {
    const auto writable = intake->writable();
    checks.push_back({name, writable.has_value(), writable ? std::string() : writable.error().message});
    if (writable && intake->status().low_disk) checks.back().detail = "the disk is nearly full";
  }
  return checks;
}

std::vector<webserver::Route> routes(const Behind& behind, const std::string& token) {
  const Streams* streams = &behind.streams;
  const metrics::Registry* registry = &behind.registry;
  AlertDoor* alerts = &behind.alerts;
  std::vector<webserver::Route> open{
      {"GET", "/healthcheck", [streams](const Request&, const Reply& reply) { reply(health_of(*streams)); }},
      {"GET", "/metrics", [registry](const Request&, const Reply& reply) {
         reply({.body = registry->text(), .type = "text/plain; version=0.0.4; charset=utf-8"});
       }}};
  const std::vector<webserver::Route> guarded_ones{
      {"POST", "/v1/logs",
       [streams, clock = &behind.clock](const Request& request, const Reply& reply) {
         take_logs(streams->logs(), request, clock->now(), reply);
       }},
      {"GET", "/v1/logs",
       [reading = &behind.reading](const Request& request, const Reply& reply) { reading->find(request, reply); }},
      {"GET", "/v1/status",
       [status = behind.status](const Request&, const Reply& reply) { reply({.body = status().dump()}); }},
      {"GET", "/v1/alerts", [alerts](const Request&, const Reply& reply) { reply(alerts->list()); }},
      {"POST", "/v1/alerts/{}/acknowledge",
       [alerts](const Request& request, const Reply& reply) { reply(alerts->acknowledge(request)); }},
      {"POST", "/v1/channels/{}/test",
       [alerts](const Request& request, const Reply& reply) { alerts->test(request, reply); }}};
  for (const webserver::Route& route : guarded_ones)
    open.push_back({route.method, route.path, guarded(token, route.handle)});
  return open;
}

}  // namespace rltune::collector
