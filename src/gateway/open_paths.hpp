// What the gateway serves to anybody, beside the operations: its documents, its keys, the files of a user interface;
// and what it says where nothing is served. Each request counts towards its address's limit and stands in the log.
//
// Threads: any. It outlives the server that calls it.
#pragma once

#include <optional>
#include <string>

#include "call_limits.hpp"
#include "origins.hpp"
#include "rltune/webserver/server.hpp"
#include "ui_files.hpp"
#include "visit.hpp"

namespace rltune::gateway {

class OpenPaths {
 public:
  // All outlive it. `ui`: nullopt: there is none.
  OpenPaths(CallLimits& limits, const Origins& origins, const Clock& clock, std::optional<UiFiles> ui = {})
      : limits_(limits), origins_(origins), clock_(clock), ui_(std::move(ui)) {}

  // The route of something that is answered at once. `name`: in the log.
  webserver::Route route(std::string name, webserver::Route route);

  // A browser that asks whether it may call; a file of the user interface; or the refusal.
  webserver::Unrouted unrouted();

 private:
  void finish(const Visit& visit, const std::optional<LimitMet>& met, std::string_view name,
              const webserver::Request& request, webserver::Response response, const webserver::Reply& reply);

  CallLimits& limits_;
  const Origins& origins_;
  const Clock& clock_;
  const std::optional<UiFiles> ui_;
};

}  // namespace rltune::gateway
