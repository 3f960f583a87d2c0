#include "web_socket.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "rltune/base/log.hpp"

namespace rltune::webserver {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using namespace std::chrono_literals;
using Stop = beast::error_code;

constexpr auto kHandshake = 10s;
constexpr auto kLinger = 2s;  // for what is queued, and the other side's answer, once it is to be closed
constexpr std::size_t kBufferKept = 16UZ << 10U;
constexpr std::size_t kKeyBytes = 24;  // 16 bytes in base64 (RFC 6455, 4.1)
constexpr std::uint16_t kGoingAway = 1001, kProtocol = 1002, kLost = 1006, kTooBig = 1009, kFailed = 1011;

std::uint16_t code_of(Stop stop) {
  if (stop == websocket::error::message_too_big || stop == websocket::error::buffer_overflow) return kTooBig;
  return stop.category() == make_error_code(websocket::error::closed).category() ? kProtocol : kLost;
}

template <class Stream>
class WebSocket : public Connection, public std::enable_shared_from_this<WebSocket<Stream>> {
 public:
  WebSocket(Stream stream, Shared& shared, OpenSocket socket, Message upgrade)
      : ws_(std::move(stream)),
        shared_(shared),
        connections_(shared.connections),
        queue_(std::move(socket.queue)),
        events_(std::move(socket.events)),
        place_(std::move(socket.place)),
        upgrade_(std::move(upgrade)),
        linger_(ws_.get_executor()) {}

  asio::any_io_executor executor() override { return ws_.get_executor(); }

  void run() override {
    const SocketLimits& limits = shared_.options.sockets;
    lowest().expires_never();  // the socket's own timers watch from here on
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = kHandshake;
    timeout.idle_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(limits.idle_timeout);
    timeout.keep_alive_pings = true;
    ws_.set_option(timeout);
    ws_.read_message_max(limits.message_bytes_max);
    ws_.auto_fragment(false);
    queue_->open(this->weak_from_this());
    ws_.async_accept(upgrade_, [self = this->shared_from_this()](Stop stop) {
      if (stop || self->ended_) return self->gone(kLost);
      self->open_ = true;
      self->read();
      self->wake();
    });
  }

  void wake() override {
    if (ended_) return;
    if (queue_->closing()) start_to_end();
    if (open_ && !writing_) write();
  }

  // Who is told goes elsewhere at once; nothing waits for who cannot be told.
  void cut() override {
    if (open_ && !writing_ && !ended_) {
      static constexpr std::array<unsigned char, 4> kFrame{0x88, 0x02, kGoingAway >> 8U, kGoingAway & 0xFFU};
      Stop stop;
      (void)lowest().socket().non_blocking(true, stop);
      asio::write(ws_.next_layer(), asio::buffer(kFrame), stop);
    }
    gone(kGoingAway);
  }

 private:
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(ws_); }

  void read() {
    ws_.async_read(buffer_, [self = this->shared_from_this()](Stop stop, std::size_t) {
      if (stop == websocket::error::closed) return self->gone(self->ws_.reason().code, self->ws_.reason().reason);
      if (stop) return self->gone(code_of(stop));
      self->take();
      if (!self->ended_) self->read();
    });
  }

  void take() {
    const auto bytes = buffer_.cdata();
    const std::string_view message(static_cast<const char*>(bytes.data()), bytes.size());
    try {
      if (events_.on_message) events_.on_message(message, ws_.got_text() ? MessageKind::text : MessageKind::binary);
    } catch (const std::exception& thrown) {
      log::error("a message to a socket failed", {{"reason", thrown.what()}});
      queue_->close(kFailed, "it failed here; the log says why");
    }
    buffer_.clear();
    if (buffer_.capacity() > kBufferKept) buffer_.shrink_to_fit();
  }

  void write() {
    auto next = queue_->next();
    if (!next) return close_if_asked();
    writing_ = true;
    sending_ = std::move(next->text);
    ws_.text(next->kind == MessageKind::text);
    ws_.async_write(asio::buffer(sending_), [self = this->shared_from_this()](Stop stop, std::size_t) {
      self->writing_ = false;
      self->queue_->sent(self->sending_.size());
      if (stop) return self->gone(kLost);
      self->write();
    });
  }

  void start_to_end() {
    if (std::exchange(ending_, true)) return;
    linger_.expires_after(kLinger);
    linger_.async_wait([self = this->shared_from_this()](Stop stop) {
      if (!stop) self->gone(kLost);
    });
  }

  void close_if_asked() {
    const auto closing = queue_->closing();
    if (!closing || std::exchange(told_, true)) return;
    const websocket::close_reason why(static_cast<websocket::close_code>(closing->code), closing->reason);
    ws_.async_close(why, [self = this->shared_from_this(), code = closing->code](Stop) { self->gone(code); });
  }

  void gone(std::uint16_t code, std::string_view reason = {}) {
    if (std::exchange(ended_, true)) return;
    linger_.cancel();
    Stop none;
    (void)lowest().socket().close(none);
    queue_->end();
    place_.reset();
    connections_->remove(this->shared_from_this());
    const SocketEvents events = std::exchange(events_, {});
    if (!events.on_close) return;
    try {
      events.on_close(code, reason);
    } catch (const std::exception& thrown) {
      log::error("the end of a socket failed", {{"reason", thrown.what()}});
    }
  }

  websocket::stream<Stream> ws_;
  Shared& shared_;
  const std::shared_ptr<Connections> connections_;
  const std::shared_ptr<SocketQueue> queue_;
  SocketEvents events_;
  std::optional<Claim> place_;
  const Message upgrade_;
  asio::steady_timer linger_;
  beast::flat_buffer buffer_;
  std::string sending_;
  bool open_ = false, writing_ = false, ending_ = false, told_ = false, ended_ = false;
};

}  // namespace

std::optional<Response> refusal_of_upgrade(const Message& request, std::size_t rest) {
  if (request.method() != http::verb::get) {
    Response refusal = problem(405, "a socket is asked for with GET");
    refusal.headers["Allow"] = "GET";
    return refusal;
  }
  if (!websocket::is_upgrade(request) || request[http::field::sec_websocket_version] != "13") {
    Response refusal = problem(426, "here is a WebSocket, of version 13 (RFC 6455)");
    refusal.headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
    return refusal;
  }
  if (request.count(http::field::sec_websocket_key) != 1 || request[http::field::sec_websocket_key].size() != kKeyBytes)
    return problem(400, "Sec-WebSocket-Key is not 16 bytes in base64");
  if (rest > 0 || !request.body().empty()) return problem(400, "something stands behind the request for a socket");
  return std::nullopt;
}

std::shared_ptr<Connection> make_web_socket(Plain stream, Shared& shared, OpenSocket socket, Message upgrade) {
  return std::make_shared<WebSocket<Plain>>(std::move(stream), shared, std::move(socket), std::move(upgrade));
}

std::shared_ptr<Connection> make_web_socket(Tls stream, Shared& shared, OpenSocket socket, Message upgrade) {
  return std::make_shared<WebSocket<Tls>>(std::move(stream), shared, std::move(socket), std::move(upgrade));
}

}  // namespace rltune::webserver
