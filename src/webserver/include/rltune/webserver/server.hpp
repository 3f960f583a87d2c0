// An HTTP/1.1 server (Boost.Beast behind it): routes to handlers that are plain functions from a request to a response,
// and routes to sockets (socket.hpp).
//
// Threads: handlers run on the server's own threads and must not wait; a reply may be given later, once, from any
// thread. A reply that is dropped answers 500. Limits: what is larger than body_bytes_max is refused with 413; who
// takes longer than idle_timeout for a request, or to read its answer, is closed. Errors of the server itself are
// problem documents (RFC 9457).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/webserver/request.hpp"
#include "rltune/webserver/socket.hpp"

namespace rltune::webserver {

using Reply = std::function<void(Response)>;
using Handler = std::function<void(const Request&, Reply)>;
// What no route takes, with the answer it would get: 404, or 405 whose Allow names the path's methods.
using Unrouted = std::function<void(const Request&, Response refusal, Reply)>;

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
  SocketLimits sockets;
  Unrouted unrouted;  // none: the refusal is the answer
};

struct Route {
  std::string method, path;  // path: "/v1/alerts/{}/acknowledge"
  Handler handle;
};

class Server {
 public:
  // Errors: invalid_argument: the address; io: the port is taken; parse: the certificate or key.
  static Result<Server> start(const Options& options, std::vector<Route> routes, std::vector<SocketRoute> sockets = {});
  // What is under way is cut off; replies that come later go nowhere. Sockets are told 1001 and end.
  ~Server();
  Server(Server&&) noexcept;

  std::uint16_t port() const noexcept;
  // Reads certificate and key again, for connections that come from now on; those that are there go on. From any
  // thread. Errors: parse: they cannot be used, and those of before stay. REQUIRES: it was started with TLS.
  Result<> take_certificate();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::webserver
