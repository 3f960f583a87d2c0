// The choke point: every call of the API passes here, in this order: correlation id, limit of the address, who calls,
// limit of the caller and of the operation, permission, CSRF, kind of body; then its handler; then headers, figures and
// one log line. What the table of operations does not name is not served.
//
// Threads: any. It outlives the server that calls it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "call.hpp"
#include "call_limits.hpp"
#include "credentials.hpp"
#include "origins.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/webserver/server.hpp"
#include "workers.hpp"

namespace rltune::gateway {

struct DoorOptions {
  LimitOptions limits;
  std::set<std::string, std::less<>> allowed_origins;  // of pages that may call; none: the gateway's own alone
};

// What a person has to be able to find out later.
struct Refusal {
  std::string account, permission, operation, correlation_id, address;
};

class Door {
 public:
  // All outlive it. `denied`: somebody who signed in asked for what it may not.
  Door(DoorOptions options, Credentials& credentials, const Clock& clock, metrics::Registry& registry,
       std::function<void(const Refusal&)> denied);

  // One route an operation. REQUIRES: a handler for each of them, and no other.
  std::vector<webserver::Route> routes(Handlers handlers);

  // A WebSocket for who has the permission. A page of another origin has to be one that may call, and show a token: a
  // browser's cookie counts only where the page is the gateway's own.
  using Join =
      std::function<webserver::SocketEvents(const std::shared_ptr<webserver::Socket>&, std::function<bool()> may_stay)>;
  webserver::SocketRoute socket_route(std::string path, api::Permission permission, Join join);

  // The same for what is served beside the operations.
  CallLimits& limits() { return limits_; }
  const Origins& origins() const { return origins_; }

 private:
  using Met = std::optional<LimitMet>;
  void enter(const api::Operation& operation, const Handler& handle, const webserver::Request& request,
             const webserver::Reply& reply);
  std::expected<Identity, Answer> who_may_listen(const webserver::Request& request, api::Permission permission);
  std::optional<Answer> check(Call& call, const webserver::Request& request, Met& met);
  std::optional<Answer> check_caller(Call& call, const webserver::Request& request, Met& met);
  std::optional<Answer> check_permission(const Call& call, const webserver::Request& request) const;
  void finish(const CallPointer& call, const Met& met, const Answer& answer, const webserver::Reply& reply);
  void pack(const CallPointer& call, webserver::Response response, const webserver::Reply& reply);
  void send(const Call& call, webserver::Response response, const webserver::Reply& reply);
  metrics::Counter& counter_of(const api::Operation& operation, int status);

  CallLimits limits_;
  const Origins origins_;
  Credentials& credentials_;
  const Clock& clock_;
  metrics::Registry& registry_;
  const std::function<void(const Refusal&)> denied_;
  metrics::Histogram& took_;
  // By operation and status; nullptr: it was not counted yet. Looked up once, as the registry takes a lock.
  std::vector<std::array<std::atomic<metrics::Counter*>, 500>> counters_;
  Workers packers_;  // last: it ends first
};

}  // namespace rltune::gateway
