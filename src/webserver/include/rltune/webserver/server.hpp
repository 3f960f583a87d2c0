// An HTTP/1.1 server (Boost.Beast behind it): routes to handlers that are plain functions from a request to a response.
//
// Threads: handlers run on the server's own threads and must not wait; a reply may be given later, once, from any
// thread. A reply that is dropped answers 500. Limits: what is larger than body_bytes_max is refused with 413; who
// takes longer than idle_timeout for a request, or to read its answer, is closed. Errors of the server itself are
// problem documents (RFC 9457).
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
  std::string address = "127.0.0.1";  // IPv4 or IPv6
  std::uint16_t port = 0;             // 0: one that is free
  std::size_t threads = 1;
  std::size_t body_bytes_max = std::size_t{8} << 20U;
  std::size_t all_bodies_bytes_max = std::size_t{64} << 20U;  // of all requests under way; beyond it they get 503
  std::size_t connections_max = 1'000;                        // beyond it they are closed
  Duration idle_timeout = std::chrono::seconds(60);
  std::filesystem::path certificate_file, key_file;  // PEM; TLS 1.3 where given
  std::filesystem::path client_ca_file;              // clients must show a certificate that comes from it
};

struct Request {
  std::string_view method, path;               // "POST", "/v1/logs": as it came
  std::map<std::string, std::string> query;    // decoded; of a name that stands twice, the first
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
  // Errors: invalid_argument: the address; io: the port is taken; parse: the certificate or key.
  static Result<Server> start(const Options& options, std::vector<Route> routes);
  // What is under way is cut off; replies that come later go nowhere.
  ~Server();
  Server(Server&&) noexcept;

  std::uint16_t port() const noexcept;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::webserver
