#include "connection.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <format>
#include <optional>

#include "rltune/base/log.hpp"
#include "target.hpp"

namespace rltune::webserver {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

using Message = http::request<http::string_body>;
using Stop = beast::error_code;

constexpr std::uint32_t kHeadBytesMax = 16U << 10U;
constexpr std::size_t kBufferKept = 16UZ << 10U;  // of a connection that waits
constexpr auto kHandshake = 10s;
constexpr auto kLinger = 2s;  // for who is refused while still sending
constexpr std::size_t kLingerBytes = std::size_t{16} << 20U;

// The bytes of a body that are accounted for as long as this lives.
class Claim {
 public:
  static std::optional<Claim> make(std::atomic<std::size_t>& of, std::size_t bytes, std::size_t most) {
    if (of.fetch_add(bytes) + bytes <= most) return Claim(of, bytes);
    of -= bytes;
    return std::nullopt;
  }
  ~Claim() {
    if (of_ != nullptr) *of_ -= bytes_;
  }
  Claim(Claim&& other) noexcept : of_(std::exchange(other.of_, nullptr)), bytes_(other.bytes_) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(of_, other.of_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

 private:
  Claim(std::atomic<std::size_t>& of, std::size_t bytes) : of_(&of), bytes_(bytes) {}
  std::atomic<std::size_t>* of_;
  std::size_t bytes_;
};

// A request that waits for its reply. It keeps the body, and answers for a handler that forgot to.
struct Exchange {
  Message message;
  std::weak_ptr<Connection> connection;
  std::shared_ptr<Connections> connections;
  std::atomic_flag answered;

  void answer(Response response) {
    if (!answered.test_and_set()) connections->answer(connection, std::move(response));
  }
  ~Exchange() { answer(problem(500, "nobody answered; the log says why")); }
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& one : out)
    if (one >= 'A' && one <= 'Z') one += 'a' - 'A';
  return out;
}

Request request_of(const Message& message, const std::string& peer, Target target) {
  Request request{.method = message.method_string(),
                  .path = target.path,
                  .query = std::move(target.query),
                  .headers = {},
                  .body = message.body(),
                  .peer = peer,
                  .parts = {}};
  for (const auto& field : message) {
    const auto [at, first] = request.headers.try_emplace(lower(field.name_string()), field.value());
    if (!first) at->second += ", " + std::string(field.value());
  }
  return request;
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

using Plain = beast::tcp_stream;
using Tls = asio::ssl::stream<beast::tcp_stream>;

template <class Stream>
class Session : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... More>
  Session(asio::ip::tcp::socket socket, Shared& shared, More&... more)
      : stream_(beast::tcp_stream(std::move(socket)), more...), shared_(shared) {
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
    response_->set(http::field::date, date());
    response_->body() = std::move(response.body);
    response_->keep_alive(keep);
    response_->prepare_payload();
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
    return [self = this->shared_from_this(), next = std::move(next)](Stop stop, std::size_t) {
      if (!stop) return next(*self);
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
    keep_alive_ = false;
    lowest().expires_after(shared_.options.idle_timeout);
    http::async_read_header(stream_, buffer_, *parser_, then_read([](Session& self) { self.take_head(); }));
  }

  void take_head() {
    const Message& head = parser_->get();
    http_version_ = head.version();
    keep_alive_ = head.keep_alive();
    if (head.version() == 11 && head.count(http::field::host) != 1) return refuse(400, "it needs one Host");
    const auto length = parser_->content_length();
    const std::size_t bytes = length ? *length : parser_->chunked() ? shared_.options.body_bytes_max : 0;
    claim_ = Claim::make(shared_.body_bytes, bytes, shared_.options.all_bodies_bytes_max);
    if (!claim_) return refuse(503, "too much is being taken at once; send it again a little later");
    if (beast::iequals(head[http::field::expect], "100-continue") && !parser_->is_done()) return say_continue();
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
    http::async_read(stream_, buffer_, *parser_, then_read([](Session& self) { self.serve(); }));
  }

  void serve() {
    lowest().expires_never();
    auto exchange = std::make_shared<Exchange>(parser_->release(), this->weak_from_this(), shared_.connections);
    parser_.reset();
    auto target = parse_target(exchange->message.target());
    if (!target) return exchange->answer(problem(400, target.error().message));
    Request request = request_of(exchange->message, peer_, std::move(*target));
    const auto found = shared_.router.find(request);
    if (!found) return exchange->answer(found.error());
    try {
      (**found)(request, [exchange](Response response) { exchange->answer(std::move(response)); });
    } catch (const std::exception& thrown) {
      log::error("a request failed", {{"reason", thrown.what()}});
      exchange->answer(problem(500, "it failed here; the log says why"));
    }
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
  std::optional<Claim> claim_;
  unsigned http_version_ = 11;
  bool keep_alive_ = false, refused_ = false;
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
