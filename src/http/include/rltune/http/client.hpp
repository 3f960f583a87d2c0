// Requests to HTTP servers: TLS 1.2 or newer with the host's or a given certificate authority, a client certificate,
// time limits, a bounded answer. Redirects are not followed. Servers on this host are asked without a proxy.
//
// Threads: a client belongs to one thread; cancel() from any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::http {

struct ClientOptions {
  std::filesystem::path ca_file;                     // empty: the host's
  std::filesystem::path certificate_file, key_file;  // PEM; the client's own, where the server asks for one
  Duration connect_timeout = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(30);  // of a whole request
  std::size_t answer_bytes_max = std::size_t{4} << 20U;
};

struct Header {
  std::string name, value;
};

struct Request {
  std::string method = "POST";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  Duration timeout{};  // of this one; zero: as the options say
};

struct Response {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of several the last
  std::string body;
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Any status is an answer. Errors: timeout; disconnected: no connection, no whole answer, or cancelled;
  // denied: the certificates do not fit; invalid_argument: no URL, a key that cannot be read.
  Result<Response> send(const Request& request);
  // A request under way, and every later one, ends at once.
  void cancel() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::http
