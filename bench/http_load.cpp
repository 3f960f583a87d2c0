#include "http_load.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <format>
#include <span>

#include "parts.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/descriptor.hpp"

namespace rltune::bench {
namespace {

const WallClock kClock;

int connected(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return socket;
  ::close(socket);
  return -1;
}

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls_client(bool wanted) {
  if (!wanted) return {nullptr, &SSL_CTX_free};
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);  // a session ticket alone is no reason to wait for an answer
  return context;
}

}  // namespace

struct HttpLoad::Sender {
  Sender(std::size_t number, int of, SSL_CTX* context) : index(number), socket(of) {
    if (context == nullptr || of < 0) return;
    tls.reset(SSL_new(context));
    SSL_set_fd(tls.get(), of);
    if (SSL_connect(tls.get()) != 1) give_up("no TLS with the server");
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = tls ? SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // How many bytes; 0: none of them are for us yet; -1: the connection is gone.
  ssize_t receive(std::span<char> bytes) {
    if (!tls) {
      const ssize_t count = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
      return count > 0 ? count : -1;
    }
    const int count = SSL_read(tls.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (count > 0) return count;
    return SSL_get_error(tls.get(), count) == SSL_ERROR_WANT_READ ? 0 : -1;
  }

  std::size_t index;
  Descriptor socket;
  std::unique_ptr<SSL, void (*)(SSL*)> tls{nullptr, &SSL_free};
  std::string received;
  Duration sent_at{};
  bool done = false;
};

HttpLoad::HttpLoad(const Target& target, std::size_t senders)
    : tls_(tls_client(target.tls)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (std::size_t i = 0; i < senders; ++i) {
    senders_.push_back(std::make_unique<Sender>(i, connected(target.port), tls_.get()));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = senders_.back().get()}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, senders_.back()->socket.get(), &event);
  }
}

HttpLoad::~HttpLoad() { ::close(epoll_); }

bool HttpLoad::send_next(Sender& sender, const NextRequest& next) {
  const std::string request = next(sender.index);
  if (request.empty()) return false;
  sender.sent_at = kClock.steady();
  return sender.send(request);
}

// False: the connection is gone.
bool HttpLoad::receive(Sender& sender, const OnAnswer& answered) {
  std::array<char, 17 * 1024> bytes{};  // a whole record of TLS, since epoll does not see what the library holds
  const ssize_t count = sender.receive(bytes);
  if (count < 0) {
    answered({sender.index, 0, kClock.steady() - sender.sent_at});
    return false;
  }
  sender.received.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

void HttpLoad::run(const NextRequest& next, const OnAnswer& answered, Duration longest) {
  std::size_t busy = 0;
  for (const auto& sender : senders_) {
    sender->done = sender->socket.get() < 0 || !send_next(*sender, next);
    busy += sender->done ? 0U : 1U;
  }
  std::array<epoll_event, 64> events{};
  for (const Duration end = kClock.steady() + longest; busy > 0 && kClock.steady() < end;) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < count; ++i) {
      Sender& sender = *static_cast<Sender*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (sender.done) continue;
      bool goes_on = receive(sender, answered);
      const std::size_t head_end = sender.received.find("\r\n\r\n");
      if (goes_on && head_end != std::string::npos) {
        const std::size_t length_at = sender.received.find("ength: ");
        if (length_at == std::string::npos) give_up("an answer without a length: " + sender.received);
        const std::size_t whole = head_end + 4 + std::stoul(sender.received.substr(length_at + 7));
        if (sender.received.size() < whole) continue;
        answered({sender.index, std::stoi(sender.received.substr(9, 3)), kClock.steady() - sender.sent_at});
        sender.received.clear();
        goes_on = send_next(sender, next);
      }
      if (!goes_on) {
        sender.done = true;
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, sender.socket.get(), nullptr);
        --busy;
      }
    }
  }
}

std::string log_request(const std::string& token, const std::string& lines) {
  return std::format(
      "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nAuthorization: Bearer "
      "{}\r\nContent-Length: {}\r\n\r\n{}",
      token, lines.size(), lines);
}

std::string log_line(std::uint64_t id, std::size_t bytes) {
  std::string line = std::format(
      R"({{"timestamp":"2026-05-04T12:00:00Z","service":"corerl","level":"INFO","message":"","correlation_id":"c-{:08}","id":"{:012}"}})",
      id / 100, id);
  const std::size_t at = line.find(R"("message":")") + 11;
  if (line.size() < bytes) line.insert(at, std::string(bytes - line.size(), 'x'));
  return line + "\n";
}

}  // namespace rltune::bench
