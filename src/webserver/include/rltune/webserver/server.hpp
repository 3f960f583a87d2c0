// An HTTP server (Drogon behind it): routes to handlers that are plain functions from a request to a response.
//
// One server a process, which cannot be started again. Threads: handlers run on the server's own threads and must not
// wait; a reply may be given later, once, from any thread. Limits: what is larger than body_bytes_max is refused with
// 413; who sends nothing for idle_timeout is closed. Errors of the server itself are problem documents (RFC 9457).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::webserver {

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;         // 0: one that is free
  std::filesystem::path scratch;  // a folder of its own, for as long as it runs
  std::size_t threads = 1;
  std::size_t body_bytes_max = std::size_t{8} << 20U;
  std::size_t connections_max = 1'000;
  Duration idle_timeout = std::chrono::seconds(60);
  std::filesystem::path certificate_file, key_file;  // PEM; TLS 1.3 where given
  std::filesystem::path client_ca_file;              // clients must show a certificate that comes from it
};

struct Request {
  std::string_view method, path;               // "POST", "/v1/logs"
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string_view body;                       // valid until the reply is given
  std::string peer;                            // "127.0.0.1"
  std::vector<std::string> parts;              // what stood for {} in the route
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::map<std::string, std::string> headers;
};

// RFC 9457: {"type":"about:blank","title":...,"status":...,"detail":...}
Response problem(int status, std::string_view detail);

using Reply = std::function<void(Response)>;
using Handler = std::function<void(const Request&, Reply)>;

struct Route {
  std::string method, path;  // path: "/v1/alerts/{}/acknowledge"
  Handler handle;
};

class Server {
 public:
  // Errors: io: the address is taken; unsupported: a certificate is given, and the library has no TLS.
  static Result<Server> start(const Options& options, std::vector<Route> routes);
  // What is under way is cut off.
  ~Server();
  Server(Server&&) noexcept;

  std::uint16_t port() const noexcept;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::webserver
