// A request as the limits, the log and the answer's headers see it, whatever it asks for.
#pragma once

#include <string>
#include <string_view>

#include "rltune/base/clock.hpp"
#include "rltune/webserver/request.hpp"

namespace rltune::gateway {

struct Visit {
  std::string correlation_id, address, origin;  // origin: of the page that calls; empty where no page does
  bool takes_gzip = false;
  Duration begun{};
};

Visit visit_of(const webserver::Request& request, const Clock& clock);

// A header's value; empty where there is none. `name` in small letters.
std::string header_of(const webserver::Request& request, const std::string& name);

// The beginning of what a caller made up, which may be of any length. Cut between letters of UTF-8.
std::string cut(std::string_view text);

struct Outcome {
  std::string_view operation;  // of the API; "ui", "documents"; "none": nobody serves it
  std::string_view request{};  // method and path, where the operation does not say them
  std::string_view account{};
  int status = 0;
  std::size_t bytes = 0;
};

// The one line of the access log that a request gets. How long it took so far.
Duration log_visit(const Visit& visit, const Outcome& outcome, const Clock& clock);

// "Vary" of the answer names that header as well.
void vary(webserver::Response& response, std::string_view header);

}  // namespace rltune::gateway
