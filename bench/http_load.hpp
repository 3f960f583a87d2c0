// Senders of log entries over HTTP as light as can be, so that what is measured is who receives: one thread, a
// connection a sender, one request in flight on each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/time.hpp"

namespace rltune::bench {

class HttpLoad {
 public:
  struct Target {
    std::uint16_t port = 0;
    std::string token;
  };
  HttpLoad(const Target& target, std::size_t senders);
  ~HttpLoad();

  struct Answer {
    std::size_t sender = 0;
    int status = 0;  // 0: the connection is gone
    Duration took{};
  };
  // The next body of that sender; empty: it sends no more.
  using NextBody = std::function<std::string(std::size_t sender)>;
  using OnAnswer = std::function<void(const Answer&)>;
  // Until every sender has sent all, or its connection is gone, or the time is over.
  void run(const NextBody& next, const OnAnswer& answered, Duration longest);

 private:
  struct Sender;
  bool send_next(Sender& sender, const NextBody& next);
  bool receive(Sender& sender, const OnAnswer& answered);

  std::string head_;
  std::vector<std::unique_ptr<Sender>> senders_;
  int epoll_ = -1;
};

// A line of NDJSON of `bytes` bytes with that id.
std::string log_line(std::uint64_t id, std::size_t bytes);

}  // namespace rltune::bench
