// Pages from elsewhere that may call the API (CORS, of the Fetch standard): those that site.yaml names, to the letter.
//
// They show a token in the header Authorization. A browser's cookies never count for them: no answer says
// Access-Control-Allow-Credentials, the cookies are SameSite=Strict, and whatever changes something by a cookie needs
// X-CSRF-Token, which other pages cannot read. So a page that was let in here by mistake can do what its own token says
// and nothing in the name of who looks at it.
//
// Threads: any.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "rltune/webserver/request.hpp"

namespace rltune::gateway {

class Origins {
 public:
  explicit Origins(std::set<std::string, std::less<>> allowed) : allowed_(std::move(allowed)) {}

  bool allow(std::string_view origin) const { return allowed_.contains(origin); }

  // Lets the page read the answer, where it may.
  void tell(std::string_view origin, webserver::Response& response) const;

  // Of a browser that asks before it calls; `methods`: what the path takes, "GET, PUT". nullopt: it asks nothing of the
  // kind.
  std::optional<webserver::Response> preflight(const webserver::Request& request, std::string_view methods) const;

 private:
  std::set<std::string, std::less<>> allowed_;
};

}  // namespace rltune::gateway
