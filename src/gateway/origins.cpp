#include "origins.hpp"

#include "visit.hpp"

namespace rltune::gateway {
namespace {

// What a program sends beside what browsers allow anyway. Not X-CSRF-Token: it goes with cookies.
constexpr const char* kHeadersTaken = "Authorization, Content-Type, X-Correlation-Id";
constexpr const char* kHeadersShown = "RateLimit, RateLimit-Policy, Retry-After, X-Correlation-Id";
constexpr const char* kAskAgainAfterS = "600";

bool names(std::string_view list, std::string_view method) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(", "), list.size());
    if (list.substr(0, end) == method) return true;
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return false;
}

}  // namespace

void Origins::tell(std::string_view origin, webserver::Response& response) const {
  if (allowed_.empty()) return;
  vary(response, "Origin");
  if (!allow(origin)) return;
  response.headers["Access-Control-Allow-Origin"] = origin;
  response.headers["Access-Control-Expose-Headers"] = kHeadersShown;
}

std::optional<webserver::Response> Origins::preflight(const webserver::Request& request,
                                                      std::string_view methods) const {
  const std::string method = header_of(request, "access-control-request-method");
  const std::string origin = header_of(request, "origin");
  if (request.method != "OPTIONS" || method.empty() || origin.empty()) return std::nullopt;
  if (!allow(origin)) return webserver::problem(403, "pages of this origin may not call: see gateway.allowed_origins");
  if (!names(methods, method)) return webserver::problem(403, "this path does not take that method");
  return webserver::Response{.status = 204,
                             .body = {},
                             .type = {},
                             .headers = {{"Access-Control-Allow-Methods", std::string(methods)},
                                         {"Access-Control-Allow-Headers", kHeadersTaken},
                                         {"Access-Control-Max-Age", kAskAgainAfterS}}};
}

}  // namespace rltune::gateway
