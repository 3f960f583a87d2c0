// Senders over HTTP or HTTPS as light as can be, so that what is measured is who receives: one thread, a connection a
// sender, one request in flight on each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/time.hpp"

struct ssl_ctx_st;  // of OpenSSL

namespace rltune::bench {

class HttpLoad {
 public:
  struct Target {
    std::uint16_t port = 0;  // on this host
    bool tls = false;        // the certificate is not looked at
  };
  HttpLoad(const Target& target, std::size_t senders);
  ~HttpLoad();

  struct Answer {
    std::size_t sender = 0;
    int status = 0;  // 0: the connection is gone
    Duration took{};
  };
  // The next whole request of that sender, head and body; empty: it sends no more.
  using NextRequest = std::function<std::string(std::size_t sender)>;
  using OnAnswer = std::function<void(const Answer&)>;
  // Until every sender has sent all, or its connection is gone, or the time is over.
  void run(const NextRequest& next, const OnAnswer& answered, Duration longest);

 private:
  struct Sender;
  bool send_next(Sender& sender, const NextRequest& next);
  bool receive(Sender& sender, const OnAnswer& answered);

  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> tls_;
  std::vector<std::unique_ptr<Sender>> senders_;
  int epoll_ = -1;
};

// One for the telemetry role: lines of NDJSON, with its token.
std::string log_request(const std::string& token, const std::string& lines);

// A line of NDJSON of `bytes` bytes with that id.
std::string log_line(std::uint64_t id, std::size_t bytes);

}  // namespace rltune::bench
