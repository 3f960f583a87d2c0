// A GET as a stranger would make it: a socket, no library of ours.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace rltune::metrics {

struct HttpAnswer {
  int status = 0;  // 0: nobody answered
  std::string head, body;
};

// `address`: "127.0.0.1:43123".
inline HttpAnswer http_get(const std::string& address, const std::string& path, int patience_ms = 5000) {
  const std::size_t colon = address.find(':');
  if (colon == std::string::npos) return {};
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &where.sin_addr);
  std::string text;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
      char bytes[4096];
      pollfd ready{socket, POLLIN, 0};
      ssize_t count = 0;
      while (::poll(&ready, 1, patience_ms) == 1 && (count = ::recv(socket, bytes, sizeof bytes, 0)) > 0)
        text.append(bytes, static_cast<std::size_t>(count));
    }
  }
  ::close(socket);
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || text.size() < 12) return {};
  return {std::stoi(text.substr(9, 3)), text.substr(0, end), text.substr(end + 4)};
}

}  // namespace rltune::metrics
