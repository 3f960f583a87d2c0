#include "open_paths.hpp"

#include <format>

namespace rltune::gateway {
namespace {

constexpr std::string_view kNobodys = "none", kUi = "ui", kPreflight = "preflight";

}  // namespace

webserver::Route OpenPaths::route(std::string name, webserver::Route route) {
  route.handle = [this, name = std::move(name), inner = std::move(route.handle)](const webserver::Request& request,
                                                                                 const webserver::Reply& reply) {
    const Visit visit = visit_of(request, clock_);
    std::optional<LimitMet> met;
    if (!limits_.take_address(visit.address, met))
      return finish(visit, met, name, request, webserver::problem(429, kTooMany), reply);
    inner(request,
          [&](webserver::Response response) { finish(visit, met, name, request, std::move(response), reply); });
  };
  return route;
}

webserver::Unrouted OpenPaths::unrouted() {
  return [this](const webserver::Request& request, webserver::Response refusal, const webserver::Reply& reply) {
    const Visit visit = visit_of(request, clock_);
    std::optional<LimitMet> met;
    if (!limits_.take_address(visit.address, met))
      return finish(visit, met, kNobodys, request, webserver::problem(429, kTooMany), reply);
    const std::string allowed = refusal.headers.contains("Allow") ? refusal.headers.at("Allow") : std::string();
    if (auto asked = origins_.preflight(request, allowed))
      return finish(visit, met, kPreflight, request, std::move(*asked), reply);
    if (refusal.status == 404 && ui_)
      if (auto file = ui_->answer(request)) return finish(visit, met, kUi, request, std::move(*file), reply);
    finish(visit, met, kNobodys, request, std::move(refusal), reply);
  };
}

void OpenPaths::finish(const Visit& visit, const std::optional<LimitMet>& met, std::string_view name,
                       const webserver::Request& request, webserver::Response response, const webserver::Reply& reply) {
  origins_.tell(visit.origin, response);
  CallLimits::tell(met, response.headers);
  response.headers["X-Correlation-Id"] = visit.correlation_id;
  response.headers["X-Content-Type-Options"] = "nosniff";
  response.headers.try_emplace("Cache-Control", "no-store");
  const std::string asked = std::format("{} {}", request.method, request.path);
  const Outcome outcome{.operation = name, .request = asked, .status = response.status, .bytes = response.body.size()};
  reply(std::move(response));
  log_visit(visit, outcome, clock_);
}

}  // namespace rltune::gateway
