// What comes and what goes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rltune::webserver {

struct Request {
  std::string_view method, path;               // "POST", "/v1/logs": as it came
  std::map<std::string, std::string> query;    // decoded; of a name that stands twice, the first
  std::vector<std::string> twice;              // names that stand more than once in the query
  std::map<std::string, std::string> headers;  // names in lower case; what stands twice is joined by ", "
  std::string_view body;                       // valid until the reply is given
  std::string peer;                            // "127.0.0.1"
  std::vector<std::string> parts;              // what stood for {} in the route, decoded
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::map<std::string, std::string> headers;
  std::vector<std::string> cookies;  // Set-Cookie, one header each
};

// "Not Found"; of a status that has none, "<unknown-status>".
std::string_view reason(int status);

// RFC 9457: {"type":"about:blank","title":...,"status":...,"detail":...}
Response problem(int status, std::string_view detail);

}  // namespace rltune::webserver
