#include "rltune/webserver/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <format>
#include <memory>
#include <thread>

#include "connection.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::webserver {
namespace {

namespace asio = boost::asio;
using Stop = boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr auto kAcceptAgain = std::chrono::milliseconds(100);

Result<asio::ssl::context> tls_of(const Options& options) {
  asio::ssl::context tls(asio::ssl::context::tlsv13_server);
  const auto refuse = [](const char* what, const std::filesystem::path& file, const Stop& stop, const char* give) {
    return fail(Errc::parse,
                std::format("the {} {} cannot be used ({}): give a PEM file that can be read here, with {}", what,
                            file.string(), stop.message(), give));
  };
  Stop stop;
  if (tls.use_certificate_chain_file(options.certificate_file.string(), stop))
    return refuse("certificate", options.certificate_file, stop, "the server's certificate and then its chain");
  if (tls.use_private_key_file(options.key_file.string(), asio::ssl::context::pem, stop))
    return refuse("key", options.key_file, stop, "the private key of the certificate");
  if (options.client_ca_file.empty()) return tls;
  if (tls.load_verify_file(options.client_ca_file.string(), stop))
    return refuse("clients' authority", options.client_ca_file, stop, "the certificates that clients' come from");
  tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  return tls;
}

std::vector<std::unique_ptr<asio::io_context>> contexts_of(std::size_t threads) {
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
    contexts.push_back(std::make_unique<asio::io_context>(1));
  return contexts;
}

}  // namespace

struct Server::State {
  State(const Options& options, std::vector<Route> routes, std::vector<SocketRoute> sockets)
      : shared{.options = options, .router = Router(std::move(routes))},
        contexts(contexts_of(options.threads)),
        acceptor(*contexts.front()),
        pause(acceptor.get_executor()) {
    for (SocketRoute& route : sockets) shared.sockets[std::move(route.path)] = std::move(route.accept);
  }
  ~State() {
    for (const auto& context : contexts) context->stop();
    for (std::thread& thread : threads) thread.join();
    shared.connections->close();
  }

  Result<> listen() {
    Stop stop;
    const auto address = asio::ip::make_address(shared.options.address, stop);
    if (stop)
      return fail(Errc::invalid_argument, std::format("'{}' is no address to listen at", shared.options.address));
    const Tcp::endpoint where(address, shared.options.port);
    const bool failed = acceptor.open(where.protocol(), stop) ||
                        acceptor.set_option(asio::socket_base::reuse_address(true), stop) ||
                        acceptor.bind(where, stop) || acceptor.listen(asio::socket_base::max_listen_connections, stop);
    if (failed)
      return fail(Errc::io, std::format("cannot listen at {}:{}: {}; is something else using it?",
                                        shared.options.address, shared.options.port, stop.message()));
    port = acceptor.local_endpoint().port();
    return {};
  }

  Result<> take_certificate() {
    auto made = tls_of(shared.options);
    if (!made) return std::unexpected(made.error());
    tls.store(std::make_shared<asio::ssl::context>(std::move(*made)));
    return {};
  }

  void accept() {
    acceptor.async_accept(executor_of_next(), [this](const Stop& stop, Tcp::socket socket) {
      if (stop) return accept_later(stop);
      take(std::move(socket));
      accept();
    });
  }

  asio::any_io_executor executor_of_next() { return contexts[taken++ % contexts.size()]->get_executor(); }

  // No descriptors left, most often.
  void accept_later(const Stop& stop) {
    log::warning("connections cannot be taken", {{"reason", stop.message()}});
    pause.expires_after(kAcceptAgain);
    pause.async_wait([this](const Stop& ended) {
      if (!ended) accept();
    });
  }

  void take(Tcp::socket socket) {
    Stop none;
    (void)socket.set_option(Tcp::no_delay(true), none);
    const auto with = tls.load();
    auto connection =
        with ? make_connection(std::move(socket), shared, *with) : make_connection(std::move(socket), shared);
    if (!shared.connections->add(connection, shared.options.connections_max)) return;
    const auto executor = connection->executor();
    asio::dispatch(executor, [connection = std::move(connection)] { connection->run(); });
  }

  Shared shared;
  // Replaced as a whole; a connection keeps what it was made with.
  std::atomic<std::shared_ptr<asio::ssl::context>> tls;
  // One a thread: what a connection does is done by one thread, which nothing else wakes.
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::size_t taken = 0;  // connections
  Tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::uint16_t port = 0;
  std::vector<std::thread> threads;
};

Result<Server> Server::start(const Options& options, std::vector<Route> routes, std::vector<SocketRoute> sockets) {
  auto state = std::make_unique<State>(options, std::move(routes), std::move(sockets));
  if (!options.certificate_file.empty())
    if (auto taken = state->take_certificate(); !taken) return std::unexpected(taken.error());
  if (auto listens = state->listen(); !listens) return std::unexpected(listens.error());
  state->accept();
  const OrdinaryThreads while_starting;
  for (const auto& context : state->contexts)
    state->threads.emplace_back([running = context.get()] {
      const auto while_there_is_nothing = asio::make_work_guard(*running);
      running->run();
    });
  return Server(std::move(state));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;
Server::Server(Server&&) noexcept = default;

Result<> Server::take_certificate() { return state_->take_certificate(); }

std::uint16_t Server::port() const noexcept { return state_->port; }

}  // namespace rltune::webserver
