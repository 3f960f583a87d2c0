#include "rltune/webserver/server.hpp"

#include <arpa/inet.h>
#include <drogon/drogon.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <format>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "rltune/base/descriptor.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::webserver {
namespace {

using Answer = std::function<void(const drogon::HttpResponsePtr&)>;

drogon::HttpResponsePtr to_drogon(Response&& response) {
  auto out = drogon::HttpResponse::newHttpResponse();
  out->setStatusCode(static_cast<drogon::HttpStatusCode>(response.status));
  out->setContentTypeCodeAndCustomString(drogon::CT_CUSTOM, response.type);
  for (auto& [name, value] : response.headers) out->addHeader(name, std::move(value));
  out->setBody(std::move(response.body));
  return out;
}

Request from_drogon(const drogon::HttpRequestPtr& request) {
  Request out{.method = request->methodString(),
              .path = request->path(),
              .body = {request->bodyData(), request->bodyLength()},
              .peer = request->peerAddr().toIp(),
              .parts = request->getRoutingParameters()};
  for (const auto& [name, value] : request->parameters()) out.query.emplace(name, value);
  for (const auto& [name, value] : request->headers()) out.headers.emplace(name, value);
  return out;
}

void serve(const Handler& handle, const drogon::HttpRequestPtr& request, Answer&& answer) {
  // The request lives until the answer is given: its body is read until then.
  handle(from_drogon(request),
         [request, answer = std::move(answer)](Response response) { answer(to_drogon(std::move(response))); });
}

const std::vector<drogon::internal::HttpConstraint> kMethods{drogon::Get, drogon::Post, drogon::Put, drogon::Delete,
                                                             drogon::Patch};

Response not_allowed(const std::map<std::string, Handler>& methods) {
  std::string allowed;
  for (const auto& [method, handler] : methods) allowed += (allowed.empty() ? "" : ", ") + method;
  Response refusal = problem(405, "here only " + allowed);
  refusal.headers["Allow"] = allowed;
  return refusal;
}

// "/v1/alerts/{}" as a regular expression.
std::string pattern_of(std::string_view path) {
  std::string pattern;
  for (; !path.empty(); path.remove_prefix(1)) {
    if (path.starts_with("{}")) {
      pattern += "([^/]+)";
      path.remove_prefix(1);
    } else {
      if (path.front() == '.') pattern += '\\';
      pattern += path.front();
    }
  }
  return pattern;
}

std::optional<sockaddr_in> socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) return std::nullopt;
  return where;
}

Descriptor new_socket() { return Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

bool answers(const std::string& address, std::uint16_t port) {
  const auto where = socket_address(address, port);
  const Descriptor socket = new_socket();
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*where), sizeof *where) == 0;
}

// Drogon ends the process where an address is taken.
Result<> try_address(const Options& options) {
  const auto where = socket_address(options.address, options.port);
  if (!where) return fail(Errc::invalid_argument, std::format("'{}' is no IPv4 address to listen at", options.address));
  const Descriptor socket = new_socket();
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*where), sizeof *where) == 0) return {};
  return fail(Errc::io, std::format("cannot listen at {}:{}: {}; is something else using it?", options.address,
                                    options.port, std::strerror(errno)));
}

void quieten() {
  trantor::Logger::setLogLevel(trantor::Logger::kWarn);
  trantor::Logger::setOutputFunction(
      [](const char* text, std::uint64_t length) { log::debug("web server", {{"says", std::string(text, length)}}); },
      [] {});
}

void configure(const Options& options, const std::vector<Route>& routes) {
  auto& app = drogon::app();
  app.disableSigtermHandling();
  app.setThreadNum(options.threads);
  app.setUploadPath(options.scratch.string());
  app.setClientMaxBodySize(options.body_bytes_max);
  app.setClientMaxMemoryBodySize(options.body_bytes_max);
  app.setMaxConnectionNum(options.connections_max);
  app.setIdleConnectionTimeout(static_cast<std::size_t>(options.idle_timeout / std::chrono::seconds(1)));
  app.enableServerHeader(false);
  app.enableGzip(false);
  app.enableBrotli(false);
  app.setCustomErrorHandler([](drogon::HttpStatusCode status) {
    return to_drogon(problem(status, "the server takes no such request; the documentation lists what it takes"));
  });
  app.setExceptionHandler([](const std::exception& thrown, const drogon::HttpRequestPtr&, Answer&& answer) {
    log::error("a request failed", {{"reason", thrown.what()}});
    answer(to_drogon(problem(500, "it failed here; the log says why")));
  });
  const bool secure = !options.certificate_file.empty();
  std::vector<std::pair<std::string, std::string>> commands;
  if (secure) commands.emplace_back("MinProtocol", "TLSv1.3");
  if (!options.client_ca_file.empty()) {
    commands.emplace_back("VerifyCAFile", options.client_ca_file.string());
    commands.emplace_back("VerifyMode", "Require");
  }
  app.addListener(options.address, options.port, secure, options.certificate_file.string(), options.key_file.string(),
                  false, commands);
  std::map<std::string, std::map<std::string, Handler>> paths;
  for (const Route& route : routes) paths[route.path][route.method] = route.handle;
  for (auto& [path, methods] : paths) {
    auto take = [by_method = std::move(methods)](const drogon::HttpRequestPtr& request, Answer&& answer) {
      const auto found = by_method.find(request->methodString());
      if (found == by_method.end()) return answer(to_drogon(not_allowed(by_method)));
      serve(found->second, request, std::move(answer));
    };
    // What is not moved there is kept by reference.
    if (path.contains("{}"))
      app.registerHandlerViaRegex(pattern_of(path), std::move(take), kMethods);
    else
      app.registerHandler(path, std::move(take), kMethods);
  }
}

}  // namespace

namespace {

// RFC 9110, 15, and RFC 6585; others have none of their own here.
std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return status < 500 ? "Refused" : "Failed";
  }
}

}  // namespace

Response problem(int status, std::string_view detail) {
  const nlohmann::ordered_json body{{"type", "about:blank"},
                                    {"title", std::string(title_of(status))},
                                    {"status", status},
                                    {"detail", std::string(detail)}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
          .type = "application/problem+json"};
}

struct Server::State {
  std::uint16_t port = 0;
  std::thread thread;

  ~State() {
    drogon::app().getLoop()->queueInLoop([] { drogon::app().quit(); });
    thread.join();
  }
};

Result<Server> Server::start(const Options& options, std::vector<Route> routes) {
  // Without TLS in it, Drogon would listen in the clear and say nothing.
  if (!options.certificate_file.empty() && !drogon::app().supportSSL())
    return fail(Errc::unsupported,
                "the HTTP library of this system has no TLS: listen on 127.0.0.1 behind a proxy that has");
  if (auto free = try_address(options); !free) return std::unexpected(free.error());
  quieten();
  auto state = std::make_unique<State>();
  std::promise<std::uint16_t> listening;
  auto port = listening.get_future();
  const OrdinaryThreads while_starting;
  state->thread = std::thread([&] {
    configure(options, routes);
    drogon::app().registerBeginningAdvice(
        [&listening] { listening.set_value(drogon::app().getListeners().front().toPort()); });
    drogon::app().run();
  });
  state->port = port.get();
  // It says so before its threads listen.
  while (!answers(options.address, state->port)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return Server(std::move(state));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;
Server::Server(Server&&) noexcept = default;

std::uint16_t Server::port() const noexcept { return state_->port; }

}  // namespace rltune::webserver
