#include "rltune/metrics/endpoint.hpp"

#include <CivetServer.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <format>

#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::metrics {
namespace {

class Page final : public CivetHandler {
 public:
  struct Body {
    int status = 200;
    std::string type, text;
  };
  explicit Page(std::function<Body()> body) : body_(std::move(body)) {}
  bool handleGet(CivetServer*, mg_connection* connection) override {
    const Body body = body_();
    const std::string head = std::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: "
        "close\r\n\r\n",
        body.status, body.status == 200 ? "OK" : "Service Unavailable", body.type, body.text.size());
    mg_write(connection, head.data(), head.size());
    mg_write(connection, body.text.data(), body.text.size());
    return true;
  }

 private:
  std::function<Body()> body_;
};

}  // namespace

struct Endpoint::State {
  State(const Registry& registry, const Health& health)
      : metrics([&registry] { return Page::Body{200, "text/plain; version=0.0.4; charset=utf-8", registry.text()}; }),
        healthcheck([&health] {
          Health::Answer answer = health.answer();
          return Page::Body{answer.healthy ? 200 : 503, "application/json", std::move(answer.json)};
        }) {}
  // The server looks for its end once in two seconds, unless a connection wakes it: a role's end is not to wait for
  // that.
  ~State() {
    std::atomic<bool> gone = false;
    const std::jthread closing([&] {
      server.reset();
      gone = true;
    });
    while (!gone) {
      knock();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void knock() const noexcept {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    [[maybe_unused]] const int refused = ::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    ::close(socket);
  }

  Page metrics, healthcheck;
  std::uint16_t port = 0;
  std::string address;
  std::unique_ptr<CivetServer> server;
};

Result<Endpoint> Endpoint::start(const Registry& registry, const Health& health, std::uint16_t port) {
  auto state = std::make_unique<State>(registry, health);
  const std::string where = std::format("127.0.0.1:{}", port);
  const std::vector<std::string> options{"listening_ports",          where,  "num_threads",       "2",
                                         "request_timeout_ms",       "5000", "enable_keep_alive", "no",
                                         "enable_directory_listing", "no"};
  try {
    const OrdinaryThreads while_starting;
    state->server = std::make_unique<CivetServer>(options);
  } catch (const CivetException& refused) {
    return fail(Errc::io, std::format("cannot serve /metrics and /healthcheck at {}: {}", where, refused.what()));
  }
  const auto ports = state->server->getListeningPorts();
  if (ports.empty()) return fail(Errc::io, "cannot serve /metrics and /healthcheck at " + where);
  state->server->addHandler("/metrics$", state->metrics);
  state->server->addHandler("/healthcheck$", state->healthcheck);
  state->port = static_cast<std::uint16_t>(ports.front());
  state->address = std::format("127.0.0.1:{}", state->port);
  return Endpoint(std::move(state));
}

Endpoint::Endpoint(std::unique_ptr<State> state) : state_(std::move(state)) {}
Endpoint::~Endpoint() = default;
Endpoint::Endpoint(Endpoint&&) noexcept = default;

const std::string& Endpoint::address() const noexcept { return state_->address; }

void Operations::open(std::uint16_t port) {
  auto started = Endpoint::start(registry, health, port);
  if (!started) return log::error("no /metrics and no /healthcheck", {{"reason", started.error().message}});
  endpoint_.emplace(std::move(*started));
  log::info("/metrics and /healthcheck are served", {{"at", address()}});
}

}  // namespace rltune::metrics
