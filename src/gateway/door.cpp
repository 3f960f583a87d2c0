#include "door.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "compression.hpp"
#include "cookies.hpp"
#include "rltune/api/problem.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kClientMax = 200, kFaultsShownMax = 100;
constexpr std::size_t kPackers = 1, kPackedWaiting = 16;  // beyond it answers go as they are

bool is_json(std::string_view type) {
  std::string lower(type.substr(0, type.find(';')));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (lower.ends_with(' ')) lower.pop_back();
  return lower == "application/json";
}

// "/api/v1/agents/{agent}" as the server's routes have it.
std::string route_of(std::string_view path) {
  std::string route;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t brace = std::min(path.find('{', at), path.size());
    route += path.substr(at, brace - at);
    if (brace == path.size()) break;
    route += "{}";
    at = path.find('}', brace) + 1;
  }
  return route;
}

std::string problem_of(const Call& call, const Answer& answer) {
  api::Problem problem{.title = std::string(webserver::reason(answer.status)),
                       .detail = answer.detail,
                       .status = static_cast<std::uint64_t>(answer.status),
                       .correlation_id = call.correlation_id};
  if (!answer.faults.empty()) problem.errors.emplace();
  for (const api::Fault& fault : std::span(answer.faults).first(std::min(answer.faults.size(), kFaultsShownMax))) {
    api::ProblemFault& told = problem.errors->emplace_back();
    told.detail = fault.detail;
    (fault.parameter.empty() ? told.pointer : told.parameter) =
        cut(fault.parameter.empty() ? fault.pointer : fault.parameter);
  }
  return to_json(problem);
}

// Of an operation that takes none.
Answer refuse_parameters(const std::map<std::string, std::string>& query) {
  Answer refused{.status = 422, .detail = kParametersWrong};
  for (const auto& [name, text] : query)
    refused.faults.push_back({.pointer = "", .detail = "is not known here", .parameter = name});
  refused.faults = api::bounded(std::move(refused.faults));
  return refused;
}

}  // namespace

Door::Door(DoorOptions options, Credentials& credentials, const Clock& clock, metrics::Registry& registry,
           std::function<void(const Refusal&)> denied)
    : limits_(std::move(options.limits), clock),
      origins_(std::move(options.allowed_origins)),
      credentials_(credentials),
      clock_(clock),
      registry_(registry),
      denied_(std::move(denied)),
      took_(registry.histogram("rltune_role_request_seconds", "From a request's last byte to its answer")),
      counters_(api::operations().size()),
      packers_(kPackers, kPackedWaiting) {}

std::vector<webserver::Route> Door::routes(Handlers handlers) {
  std::vector<webserver::Route> routes;
  for (const api::Operation& operation : api::operations()) {
    auto node = handlers.extract(operation.id);
    RLTUNE_CHECK(!node.empty());
    routes.push_back({std::string(operation.method), route_of(operation.path),
                      [this, &operation, handle = std::move(node.mapped())](const webserver::Request& request,
                                                                            const webserver::Reply& reply) {
                        enter(operation, handle, request, reply);
                      }});
  }
  RLTUNE_CHECK(handlers.empty());
  return routes;
}

void Door::enter(const api::Operation& operation, const Handler& handle, const webserver::Request& request,
                 const webserver::Reply& reply) {
  auto call = std::make_shared<Call>();
  static_cast<Visit&>(*call) = visit_of(request, clock_);
  call->operation = &operation;
  call->client = header_of(request, "user-agent").substr(0, kClientMax);
  call->parts = request.parts;
  call->parameters = {request.query, request.twice};
  const log::Correlation correlation(call->correlation_id);
  Met met;
  if (const auto refused = check(*call, request, met)) return finish(call, met, *refused, reply);
  call->refresh_cookie = cookie_value(header_of(request, "cookie"), kRefreshCookie);
  call->attempt_cookie = cookie_value(header_of(request, "cookie"), kAttemptCookie);
  call->body = request.body;
  handle(call, [this, call, met, reply](const Answer& answer) {
    const log::Correlation again(call->correlation_id);
    finish(call, met, answer, reply);
  });
}

std::optional<Answer> Door::check(Call& call, const webserver::Request& request, Met& met) {
  if (!limits_.take_address(call.address, met)) return refuse(429, kTooMany);
  if (auto refused = check_caller(call, request, met)) return refused;
  const std::string who = call.identity ? call.identity->name : limited_address(call.address);
  if (!limits_.take_operation(*call.operation, who, call.address, met)) return refuse(429, kTooMany);
  if (auto refused = check_permission(call, request)) return refused;
  const auto too_long = [](const std::string& part) { return part.size() > api::kPartBytesMax; };
  if (std::ranges::any_of(call.parts, too_long)) return refuse(404, "nothing has so long a name");
  if (call.operation->request != nullptr && !is_json(header_of(request, "content-type")))
    return refuse(415, "the body has to be application/json, and say so in Content-Type");
  if (call.operation->query == nullptr && !request.query.empty()) return refuse_parameters(request.query);
  return std::nullopt;
}

std::optional<Answer> Door::check_caller(Call& call, const webserver::Request& request, Met& met) {
  auto identity = credentials_.identify(request, clock_.now());
  const bool open = call.operation->permission == api::Permission::open;
  if (!identity) {
    log::info("a token was refused", {{"because", identity.error().message}, {"address", call.address}});
    if (!open)
      return Answer{.status = 401,
                    .headers = {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}},
                    .detail = "the token is not, or no longer, good: sign in again, or refresh"};
  } else {
    call.identity = std::move(*identity);
  }
  if (!call.identity) return open ? std::nullopt : std::optional(refuse(401, "sign in first: POST /api/v1/auth/login"));
  if (!limits_.take_account(call.identity->name, call.address, met)) return refuse(429, kTooMany);
  return std::nullopt;
}

std::optional<Answer> Door::check_permission(const Call& call, const webserver::Request& request) const {
  if (!call.identity) return std::nullopt;
  const api::Permission permission = call.operation->permission;
  if (!may(call.identity->role, permission)) {
    denied_({call.identity->name, std::string(row_of(permission).name), std::string(call.operation->id),
             call.correlation_id, call.address});
    return refuse(403, std::format("this asks for the permission {}, which the role {} does not have",
                                   row_of(permission).name, to_string(call.identity->role)));
  }
  const bool changes = permission != api::Permission::open && call.operation->method != "GET";
  if (changes && call.identity->by_cookie &&
      !credentials_.is_csrf_token(header_of(request, "x-csrf-token"), call.identity->session))
    return refuse(403, "the header X-CSRF-Token has to hold the token that came with the cookie");
  return std::nullopt;
}

std::expected<Identity, Answer> Door::who_may_listen(const webserver::Request& request, api::Permission permission) {
  if (Met met; !limits_.take_address(request.peer, met)) return std::unexpected(refuse(429, kTooMany));
  const auto identity = credentials_.identify(request, clock_.now());
  if (!identity || !*identity) return std::unexpected(refuse(401, "sign in first: POST /api/v1/auth/login"));
  if (!may((*identity)->role, permission))
    return std::unexpected(refuse(403, std::format("this asks for the permission {}", row_of(permission).name)));
  const std::string origin = header_of(request, "origin");
  const bool own = origin == "https://" + header_of(request, "host");
  if ((*identity)->by_cookie && !own)
    return std::unexpected(refuse(403, "a browser's cookie counts for the gateway's own pages alone"));
  if (!origin.empty() && !own && !origins_.allow(origin))
    return std::unexpected(refuse(403, "pages of this origin may not call: see gateway.allowed_origins"));
  return **identity;
}

webserver::SocketRoute Door::socket_route(std::string path, api::Permission permission, Join join) {
  return {std::move(path),
          [this, permission, join = std::move(join)](const webserver::Request& request,
                                                     const std::shared_ptr<webserver::Socket>& socket)
              -> std::expected<webserver::SocketEvents, webserver::Response> {
            const Visit visit = visit_of(request, clock_);
            const auto identity = who_may_listen(request, permission);
            log_visit(visit,
                      {.operation = "live",
                       .account = identity ? std::string_view(identity->name) : std::string_view(),
                       .status = identity ? 101 : identity.error().status},
                      clock_);
            if (!identity) return std::unexpected(webserver::problem(identity.error().status, identity.error().detail));
            return join(socket, [this, permission, who = *identity] {
              return credentials_.still_may(who, permission, clock_.now());
            });
          }};
}

metrics::Counter& Door::counter_of(const api::Operation& operation, int status) {
  auto& known = counters_[static_cast<std::size_t>(&operation - api::operations().data())]
                         [static_cast<std::size_t>(std::clamp(status, 100, 599) - 100)];
  if (metrics::Counter* const counter = known.load(std::memory_order_acquire)) return *counter;
  metrics::Counter& counter =
      registry_.counter("rltune_role_requests_total", "Requests by how they ended",
                        {{"operation", std::string(operation.id)}, {"status", std::to_string(status)}});
  known.store(&counter, std::memory_order_release);
  return counter;
}

void Door::finish(const CallPointer& call, const Met& met, const Answer& answer, const webserver::Reply& reply) {
  webserver::Response response{
      .status = answer.status, .body = answer.body, .headers = answer.headers, .cookies = answer.cookies};
  if (answer.status >= 400) {
    response.body = problem_of(*call, answer);
    response.type = "application/problem+json";
  }
  if (response.body.empty()) response.type.clear();
  if (answer.status == 401) response.headers.try_emplace("WWW-Authenticate", "Bearer");  // RFC 9110, 15.5.2
  response.headers["X-Correlation-Id"] = call->correlation_id;
  response.headers["Cache-Control"] = "no-store";
  response.headers["X-Content-Type-Options"] = "nosniff";
  origins_.tell(call->origin, response);
  CallLimits::tell(met, response.headers);
  if (answer.status == 200 && may_be_packed(*call->operation)) return pack(call, std::move(response), reply);
  send(*call, std::move(response), reply);
}

// What is large is packed by a thread of its own, so that the one that answers everybody goes on.
void Door::pack(const CallPointer& call, webserver::Response response, const webserver::Reply& reply) {
  vary(response, "Accept-Encoding");
  if (!call->takes_gzip || response.body.size() < kWorthPacking) return send(*call, std::move(response), reply);
  const auto packs = [](webserver::Response& what) {
    what.body = packed(what.body);
    what.headers["Content-Encoding"] = "gzip";
  };
  if (response.body.size() <= kPackedAtOnceMax) {
    packs(response);
    return send(*call, std::move(response), reply);
  }
  const auto waiting = std::make_shared<webserver::Response>(std::move(response));
  const bool taken = packers_.post([this, packs, call, waiting, reply] {
    packs(*waiting);
    send(*call, std::move(*waiting), reply);
  });
  if (!taken) send(*call, std::move(*waiting), reply);
}

void Door::send(const Call& call, webserver::Response response, const webserver::Reply& reply) {
  const Outcome outcome{.operation = call.operation->id,
                        .account = call.identity ? std::string_view(call.identity->name) : std::string_view(),
                        .status = response.status,
                        .bytes = response.body.size()};
  reply(std::move(response));
  took_.observe(to_seconds(log_visit(call, outcome, clock_)));
  counter_of(*call.operation, outcome.status).add();
}

}  // namespace rltune::gateway
