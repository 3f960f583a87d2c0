// Which handler a request belongs to.
#pragma once

#include "rltune/webserver/server.hpp"
#include "target.hpp"

namespace rltune::webserver {

class Router {
 public:
  explicit Router(std::vector<Route> routes);

  // Fills in the request's parts. Otherwise the answer: 400, 404 or 405.
  std::expected<const Handler*, Response> find(Request& request) const;

 private:
  using Methods = std::map<std::string, Handler, std::less<>>;
  struct Pattern {
    std::vector<std::string> segments;  // "{}" stands for any
    Methods methods;
  };

  std::map<std::string, Methods, std::less<>> exact_;
  std::vector<Pattern> patterns_;
};

}  // namespace rltune::webserver
