#include "connection.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <format>
#include <optional>

#include "claim.hpp"
#include "lower.hpp"
#include "rltune/base/log.hpp"
#include "strictness.hpp"
#include "target.hpp"
#include "web_socket.hpp"

namespace rltune::webserver {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

using Stop = beast::error_code;

constexpr std::size_t kBufferKept = 16UZ << 10U;  // of a connection that waits
constexpr std::size_t kBufferMax = 64UZ << 10U;   // what is not part of a body has to fit in
constexpr auto kHandshake = 10s;
constexpr auto kLinger = 2s;  // for who is refused while still sending
constexpr std::size_t kLingerBytes = std::size_t{16} << 20U;

// A request that waits for its reply. It keeps the body, and answers for a handler that forgot to.
struct Exchange {
  Message message;
  std::weak_ptr<Connection> connection;
  std::shared_ptr<Connections> connections;
  std::atomic_flag answered;

  void answer(Response response) {
    if (answered.test_and_set()) return;
    connections->reach(connection, [response = std::move(response)](Connection& reached) mutable {
      reached.answer(std::move(response));
    });
  }
  ~Exchange() { answer(problem(500, "nobody answered; the log says why")); }
};

// Of the head alone: what comes behind a body in chunks is nobody's header (RFC 9110, 6.5.1).
std::map<std::string, std::string> headers_of(const Message& head) {
  std::map<std::string, std::string> headers;
  for (const auto& field : head) {
    const auto [at, first] = headers.try_emplace(lower(field.name_string()), field.value());
    if (!first) at->second += ", " + std::string(field.value());
  }
  return headers;
}

// The date of now, made once a second (RFC 9110, 6.6.1).
const std::string& date() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (const std::time_t second = std::chrono::system_clock::to_time_t(now); second != made) {
    text = std::format("{:%a, %d %b %Y %H:%M:%S} GMT", now);
    made = second;
  }
  return text;
}

// What a socket's handler says, which may throw.
std::expected<SocketEvents, Response> ask(const SocketHandler& handler, const Request& request,
                                          const std::shared_ptr<Socket>& socket) {
  try {
    return handler(request, socket);
  } catch (const std::exception& thrown) {
    log::error("a socket was not accepted", {{"reason", thrown.what()}});
    return std::unexpected(problem(500, "it failed here; the log says why"));
  }
}

template <class Stream>
class Session : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... More>
  Session(asio::ip::tcp::socket socket, Shared& shared, More&... more)
      : stream_(beast::tcp_stream(std::move(socket)), more...), shared_(shared), buffer_(kBufferMax) {
    Stop none;
    peer_ = lowest().socket().remote_endpoint(none).address().to_string();
  }
  void run() override {
    if constexpr (std::is_same_v<Stream, Tls>) {
      lowest().expires_after(kHandshake);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](Stop stop) {
        if (!stop) return self->read_head();
        log::debug("a client could not connect over TLS", {{"peer", self->peer_}, {"reason", stop.message()}});
        self->gone();
      });
    } else {
      read_head();
    }
  }
  asio::any_io_executor executor() override { return stream_.get_executor(); }

  void answer(Response response) override {
    const bool keep = !refused_ && keep_alive_;
    response_.emplace(static_cast<http::status>(response.status), http_version_);
    if (!response.type.empty()) response_->set(http::field::content_type, response.type);
    for (auto& [name, value] : response.headers) response_->set(name, value);
    for (const std::string& cookie : response.cookies) response_->insert(http::field::set_cookie, cookie);
    response_->set(http::field::date, date());
    response_->body() = std::move(response.body);
    response_->keep_alive(keep);
    response_->prepare_payload();
    const bool bodiless = response.status == 204 || response.status == 304;
    if (bodiless) response_->content_length(boost::none);  // RFC 9110, 8.6
    if (head_only_) response_->body().clear();             // its length stays said (RFC 9110, 9.3.2)
    claim_.reset();
    lowest().expires_after(shared_.options.idle_timeout);
    http::async_write(stream_, *response_, then([keep](Session& self) {
                        self.response_.reset();
                        if (keep) return self.read_head();
                        self.refused_ ? self.linger() : self.close();
                      }));
  }

 private:
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  // What follows where nothing failed; otherwise the connection ends.
  template <class Next>
  auto then(Next next) {
    return [self = this->shared_from_this(), next = std::move(next)](Stop stop, std::size_t = 0) {
      stop ? self->gone() : next(*self);
    };
  }
  // The same for reading, where the other side may have sent what cannot be read.
  template <class Next>
  auto then_read(Next next) {
    return [self = this->shared_from_this(), next = std::move(next)](Stop stop, std::size_t bytes) {
      if (!stop) return next(*self, bytes);
      const int status = status_of(stop);
      status == 0 ? self->gone() : self->refuse(status, stop.message());
    };
  }
  static int status_of(Stop stop) {
    if (stop == http::error::body_limit) return 413;
    if (stop == http::error::header_limit || stop == http::error::buffer_overflow) return 431;
    if (stop == http::error::end_of_stream || stop == http::error::partial_message) return 0;
    return stop.category() == make_error_code(http::error::bad_method).category() ? 400 : 0;
  }

  void read_head() {
    if (buffer_.size() == 0 && buffer_.capacity() > kBufferKept) buffer_.shrink_to_fit();
    parser_.emplace();
    parser_->header_limit(kHeadBytesMax);
    parser_->body_limit(shared_.options.body_bytes_max);
    parser_->on_chunk_header(chunk_check_);
    keep_alive_ = head_only_ = skipped_ = false;
    checked_ = 0;
    lowest().expires_after(shared_.options.idle_timeout);
    look_for_head();
  }

  // The head is judged as it came, before the parser, which lets more pass, makes anything of it.
  void look_for_head() {
    if (!skipped_ && view().starts_with("\r\n")) {
      buffer_.consume(2);  // one empty line may stand before a request (RFC 9112, 2.2)
      skipped_ = true;
      checked_ = 0;
    }
    const auto size = head_size(view(), checked_);
    if (!size) return refuse(size.error().status, size.error().why);
    checked_ = buffer_.size();
    if (*size == 0)
      return stream_.async_read_some(buffer_.prepare(kBufferKept), then_read([](Session& self, std::size_t bytes) {
                                       self.buffer_.commit(bytes);
                                       self.look_for_head();
                                     }));
    if (const auto fault = fault_of(view().substr(0, *size))) return refuse(fault->status, fault->why);
    Stop stop;
    buffer_.consume(parser_->put(buffer_.data(), stop));
    if (stop || !parser_->is_header_done()) return refuse(std::max(status_of(stop), 400), stop.message());
    take_head();
  }
  std::string_view view() const {
    const auto bytes = buffer_.cdata();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
  }

  void take_head() {
    const Message& head = parser_->get();
    http_version_ = head.version();
    keep_alive_ = head.keep_alive();
    head_only_ = head.method() == http::verb::head;
    headers_ = headers_of(head);
    const auto length = parser_->content_length();
    const std::size_t bytes = length ? *length : parser_->chunked() ? shared_.options.body_bytes_max : 0;
    claim_ = Claim::make(shared_.body_bytes, bytes, shared_.options.all_bodies_bytes_max);
    if (!claim_) return refuse(503, "too much is being taken at once; send it again a little later");
    if (headers_.contains("expect") && http_version_ == 11 && !parser_->is_done()) return say_continue();
    read_body();
  }

  void say_continue() {
    response_.emplace(http::status::continue_, 11);
    http::async_write(stream_, *response_, then([](Session& self) {
                        self.response_.reset();
                        self.read_body();
                      }));
  }

  void read_body() {
    if (parser_->is_done()) return serve();
    http::async_read(stream_, buffer_, *parser_, then_read([](Session& self, std::size_t) { self.serve(); }));
  }

  void serve() {
    lowest().expires_never();
    auto exchange = std::make_shared<Exchange>(parser_->release(), this->weak_from_this(), shared_.connections);
    parser_.reset();
    auto target = parse_target(exchange->message.target());
    if (!target) return exchange->answer(problem(400, target.error().message));
    Request request{.method = exchange->message.method_string(),
                    .path = target->path,
                    .query = std::move(target->query),
                    .twice = std::move(target->twice),
                    .headers = std::exchange(headers_, {}),
                    .body = exchange->message.body(),
                    .peer = peer_,
                    .parts = {}};
    if (shared_.sockets.contains(request.path)) return upgrade(*exchange, request);
    const auto found = shared_.router.find(request);
    const auto reply = [exchange](Response response) { exchange->answer(std::move(response)); };
    try {
      if (found) return (**found)(request, reply);
      if (!shared_.options.unrouted) return reply(found.error());
      shared_.options.unrouted(request, found.error(), reply);
    } catch (const std::exception& thrown) {
      log::error("a request failed", {{"reason", thrown.what()}});
      exchange->answer(problem(500, "it failed here; the log says why"));
    }
  }

  // RFC 6455, 4.2. The socket's handler says whether it may be.
  void upgrade(Exchange& exchange, const Request& request) {
    const auto refused = refusal_of_upgrade(exchange.message, buffer_.size());
    if (refused) return exchange.answer(*refused);
    auto place = Claim::make(shared_.sockets_open, 1, shared_.options.sockets.most);
    if (!place) return exchange.answer(problem(503, "too many sockets are open; try again a little later"));
    auto queue = std::make_shared<SocketQueue>(shared_.options.sockets, shared_.connections);
    auto events = ask(shared_.sockets.at(std::string(request.path)), request, queue);
    if (!events) {
      queue->end();
      return exchange.answer(std::move(events.error()));
    }
    exchange.answered.test_and_set();
    auto socket =
        make_web_socket(std::move(stream_), shared_, {std::move(queue), std::move(*events), std::move(*place)},
                        std::move(exchange.message));
    shared_.connections->replace(this->shared_from_this(), socket);
    socket->run();
  }

  void refuse(int status, std::string_view why) {
    refused_ = true;
    answer(problem(status, why));
  }

  // Who is still sending would lose the answer if the connection ended under it.
  void linger() {
    Stop stop;
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, stop);
    lowest().expires_after(kLinger);
    buffer_.clear();
    drain();
  }
  void drain() {
    lowest().async_read_some(buffer_.prepare(kBufferKept),
                             [self = this->shared_from_this()](Stop stop, std::size_t bytes) {
                               self->drained_ += bytes;
                               stop || self->drained_ > kLingerBytes ? self->gone() : self->drain();
                             });
  }

  void close() {
    if constexpr (std::is_same_v<Stream, Tls>) {
      lowest().expires_after(kLinger);
      stream_.async_shutdown([self = this->shared_from_this()](Stop) { self->gone(); });
    } else {
      Stop stop;
      lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, stop);
      gone();
    }
  }

  void gone() {
    Stop stop;
    lowest().socket().close(stop);
    shared_.connections->remove(this->shared_from_this());
  }

  Stream stream_;
  Shared& shared_;
  std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::function<void(std::uint64_t, beast::string_view, Stop&)> chunk_check_ =
      [](std::uint64_t, beast::string_view extension, Stop& stop) {
        if (fault_of_chunk_extension(extension)) stop = http::error::bad_chunk_extension;
      };
  std::optional<Claim> claim_;
  std::map<std::string, std::string> headers_;
  std::size_t checked_ = 0;  // bytes of the head that had no fault so far
  unsigned http_version_ = 11;
  bool keep_alive_ = false, refused_ = false, head_only_ = false, skipped_ = false;
  std::size_t drained_ = 0;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Shared& shared) {
  return std::make_shared<Session<Plain>>(std::move(socket), shared);
}

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Shared& shared, asio::ssl::context& tls) {
  return std::make_shared<Session<Tls>>(std::move(socket), shared, tls);
}

}  // namespace rltune::webserver
