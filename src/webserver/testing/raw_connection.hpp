// Bytes to a server on this host as they are, in the clear or over TLS, and what came back until the connection's end.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "http_exchange.hpp"

namespace rltune::webserver {

inline Descriptor connect_to(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return Descriptor(-1);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  const int at_once = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  return socket;
}

struct RawAnswer {
  std::string text;
  bool closed = false;  // by the server, before patience ended
};

// Our half ends behind the bytes, as a client's does that says no more.
inline RawAnswer send_plain(std::uint16_t port, std::string_view bytes) {
  const Descriptor socket = connect_to(port);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it may have answered and closed before it had everything
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(socket.get(), SHUT_WR);
  RawAnswer answer{.text = read_to_end(socket.get(), 10'000), .closed = false};
  char byte = 0;
  answer.closed = ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN;
  return answer;
}

// The same in records of that many bytes: each is one read of the server, so that every limit between two bytes is met
// by some case. The certificate is not looked at: another test does.
inline RawAnswer send_over_tls(std::uint16_t port, std::string_view bytes, std::size_t record_bytes) {
  const Descriptor socket = connect_to(port);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  RawAnswer answer;
  if (SSL_set_fd(tls.get(), socket.get()) != 1 || SSL_connect(tls.get()) != 1) return answer;
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), record_bytes);
    if (SSL_write(tls.get(), bytes.data(), static_cast<int>(count)) <= 0) break;
    bytes.remove_prefix(count);
  }
  SSL_shutdown(tls.get());
  char part[4096];
  int count = 0;
  while ((count = SSL_read(tls.get(), part, sizeof part)) > 0)
    answer.text.append(part, static_cast<std::size_t>(count));
  answer.closed = SSL_get_error(tls.get(), count) != SSL_ERROR_WANT_READ;
  return answer;
}

}  // namespace rltune::webserver
