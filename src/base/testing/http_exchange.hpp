// A request as a stranger would make it: a socket, no library of ours.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "rltune/base/descriptor.hpp"

namespace rltune {

struct HttpAnswer {
  int status = 0;  // 0: nobody answered
  std::string head, body;
};

// What stands behind the head of an answer whose end is the end of the connection.
inline std::string read_to_end(int socket, int patience_ms) {
  std::string text;
  char bytes[4096];
  pollfd ready{socket, POLLIN, 0};
  ssize_t count = 0;
  while (::poll(&ready, 1, patience_ms) == 1 && (count = ::recv(socket, bytes, sizeof bytes, 0)) > 0)
    text.append(bytes, static_cast<std::size_t>(count));
  return text;
}

// To this host. `head`: "GET /path", and further header lines behind "\n".
inline HttpAnswer http_exchange(std::uint16_t port, const std::string& head, const std::string& body = {},
                                int patience_ms = 5000) {
  const std::size_t line = std::min(head.find('\n'), head.size());
  std::string request = head.substr(0, line) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (line < head.size()) request += head.substr(line + 1) + "\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request += "\r\n" + body;

  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return {};
  for (std::string_view left = request; !left.empty();) {
    const ssize_t sent = ::send(socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it may have answered and closed before it had everything
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  const std::string text = read_to_end(socket.get(), patience_ms);
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || text.size() < 12) return {};
  return {std::stoi(text.substr(9, 3)), text.substr(0, end), text.substr(end + 4)};
}

}  // namespace rltune
