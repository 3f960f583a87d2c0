#include "asking.hpp"

#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

int status_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return 404;
    case Errc::invalid_argument:
    case Errc::parse:
      return 422;
    case Errc::mismatch:
    case Errc::unsupported:
    case Errc::cancelled:
      return 409;
    case Errc::denied:
      return 403;
    case Errc::timeout:
      return 504;
    case Errc::no_space:
    case Errc::disconnected:
      return 503;
    case Errc::corrupt:
    case Errc::io:
    case Errc::internal:
      break;
  }
  return 502;
}

}  // namespace

Answer refusal_of(const Error& error) {
  Answer refused = refuse(status_of(error.code), error.message);
  if (refused.status == 502) {  // a file of the host's may be named
    log::warning("the site could not answer", {{"reason", error.message}});
    refused.detail = "the role that was asked could not do it; the log says why";
  }
  if (error.code == Errc::disconnected || error.code == Errc::timeout) {  // an endpoint of the host's may be named
    log::info("a role did not answer", {{"reason", error.message}});
    refused.detail = "the role that was asked does not answer now; GET /api/v1/roles says how it is";
  }
  if (refused.status == 503) refused.headers["Retry-After"] = "1";
  return refused;
}

Answer too_busy() {
  Answer busy = refuse(503, "too much is read at once; try again");
  busy.headers["Retry-After"] = "1";
  return busy;
}

bus::CallOptions to(std::string method, std::string target, std::chrono::milliseconds timeout) {
  return {.method = std::move(method), .target = std::move(target), .timeout = timeout};
}

std::optional<TimePoint> time_of(std::int64_t unix_ns) {
  if (unix_ns == 0) return std::nullopt;
  return TimePoint(Duration(unix_ns));
}

}  // namespace rltune::gateway
