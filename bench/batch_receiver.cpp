#include "batch_receiver.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <format>

#include "parts.hpp"

namespace rltune::bench {
namespace {

// The value of a header; empty where it is not there. REQUIRES: name in lower case.
std::string header_of(const std::string& head, const std::string& name) {
  std::string lower = head;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

bool wait_for_bytes(int socket) {
  pollfd ready{socket, POLLIN, 0};
  return ::poll(&ready, 1, 100) == 1;
}

}  // namespace

BatchReceiver::BatchReceiver() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
      ::listen(listening_.get(), 8) != 0 ||
      ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0)
    give_up("no port for the receiver");
  port_ = ntohs(where.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

BatchReceiver::~BatchReceiver() { thread_.request_stop(); }

void BatchReceiver::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!wait_for_bytes(listening_.get())) continue;
    const Descriptor socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    serve(socket.get(), stop);
  }
}

// ".../logs/1001-2000"
bool BatchReceiver::judge(const std::string& head) {
  const std::string id = header_of(head, "idempotency-key");
  const std::size_t slash = id.rfind('/'), dash = id.rfind('-');
  if (slash == std::string::npos || dash == std::string::npos || dash < slash) give_up("no batch id: " + head);
  const std::uint64_t first = std::stoull(id.substr(slash + 1)), end = std::stoull(id.substr(dash + 1));
  if (!taking_) return false;
  if (end <= last_) {
    ++again_;
  } else {
    if (first != last_ + 1) ++odd_;
    last_ = end;
  }
  return true;
}

void BatchReceiver::serve(int socket, const std::stop_token& stop) {
  std::string text;
  std::array<char, 65'536> bytes{};
  while (!stop.stop_requested()) {
    const std::size_t head_end = text.find("\r\n\r\n");
    const std::size_t whole =
        head_end == std::string::npos
            ? std::string::npos
            : head_end + 4 + std::stoul("0" + header_of(text.substr(0, head_end + 2), "content-length"));
    if (whole == std::string::npos || text.size() < whole) {
      if (!wait_for_bytes(socket)) continue;
      const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (count <= 0) return;
      text.append(bytes.data(), static_cast<std::size_t>(count));
      continue;
    }
    while (holding_ && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::string answer = judge(text.substr(0, head_end + 2))
                                   ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                                   : "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    text.erase(0, whole);
    if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) <= 0) return;
  }
}

}  // namespace rltune::bench
