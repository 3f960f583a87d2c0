// Messages between the roles of a host: Protocol Buffers over Unix sockets. Calls go straight from who calls to who
// serves; samples and events over ZeroMQ's PUB/SUB, which only this module sees.
//
// Threads: a Server, Client, Publisher or Subscriber belongs to one thread. A Context may be shared.
// Time:    call() returns by its deadline. Nothing here waits without one.
// Traces:  a call made within a trace, and what serves it, are spans of it (rltune/base/trace.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace google::protobuf {
class Message;
}

namespace rltune::bus {

// Of the body of a call, an answer or an event. Who sends more is disconnected.
inline constexpr std::size_t kMessageBytesMax = 16 * 1024 * 1024;

// What Publishers and Subscribers are made in, and outlived by.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  struct State;
  State& state() noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// What a handler learns beside the body.
struct Call {
  std::string_view method;
  std::string_view target;
  std::string_view correlation_id;
  std::string_view token;  // who asks, as bytes that the first caller gave; passed on unchanged; empty: nobody said
};

// Serves calls at an endpoint: "ipc:///run/rltune/io.sock".
class Server {
 public:
  // Parses the body, fills the answer; an Error goes back to the caller as it is.
  using Handler = std::function<Result<>(const Call&, std::string_view body, std::string& answer)>;

  // In the place of whoever listened there. Errors: io (no such folder, no right to it), invalid_argument, internal.
  static Result<Server> bind(const std::string& endpoint);
  ~Server();
  Server(Server&&) noexcept;

  void handle(const std::string& method, Handler handler);
  // Calls whose method has no handler go on to the endpoint that `resolve` names, unread, and their answers
  // back: what coredinator does. The endpoints should be few: each keeps a connection. Who went on to a role that
  // goes away is answered as disconnected.
  using Resolve = std::function<Result<std::string>(const Call&)>;
  void forward(Resolve resolve);
  // Lets the connection to such an endpoint go; what is still to be answered from there is answered as disconnected.
  void forget(const std::string& endpoint);
  // Typed: request and answer are Protocol Buffers messages.
  template <typename Request, typename Answer>
  void handle(const std::string& method, std::function<Result<>(const Call&, const Request&, Answer&)> handler) {
    handle(
        method,
        [handler = std::move(handler), method](const Call& call, std::string_view body, std::string& out) -> Result<> {
          Request request;
          if (!request.ParseFromArray(body.data(), static_cast<int>(body.size())))
            return fail(Errc::parse, method + ": the body is not the message that this method takes");
          Answer answer;
          if (auto done = handler(call, request, answer); !done) return done;
          answer.SerializeToString(&out);
          return {};
        });
  }
  // Serves what has arrived; waits for the first one up to `timeout`. Returns how many were served, with the answers
  // that it passed back.
  // Frames that are no call, and calls whose deadline has passed, are dropped.
  // `also`: another file descriptor whose input ends the wait.
  int serve(std::chrono::milliseconds timeout, int also = -1);
  int descriptor() const noexcept;  // readable when serve() has work: for poll()

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  // Succeeds whether or not somebody listens yet; reconnects by itself.
  static Result<Client> connect(const std::string& endpoint);
  ~Client();
  Client(Client&&) noexcept;

  // One call at a time. Errors: timeout; disconnected (nobody listens until the deadline, or the server
  // went away after the call was sent: it may have been served); or the handler's own.
  Result<std::string> call(const std::string& method, const std::string& target, std::string_view body,
                           std::chrono::milliseconds timeout, const std::string& correlation_id = {});
  // The same without waiting, for loops that have other work: begin() fails at once with disconnected when
  // nobody is there now; finish() returns nothing until the answer or its error is here. A begin() while a
  // call is in flight gives that one up.
  Result<> begin(const std::string& method, const std::string& target, std::string_view body,
                 std::chrono::milliseconds timeout, const std::string& correlation_id = {});
  std::optional<Result<std::string>> finish();
  template <typename Answer, typename Request>
  Result<Answer> call(const std::string& method, const std::string& target, const Request& request,
                      std::chrono::milliseconds timeout, const std::string& correlation_id = {}) {
    std::string body;
    request.SerializeToString(&body);
    auto bytes = call(method, target, std::string_view(body), timeout, correlation_id);
    if (!bytes) return std::unexpected(bytes.error());
    Answer answer;
    if (!answer.ParseFromString(*bytes)) return fail(Errc::parse, method + ": the answer is not the message expected");
    return answer;
  }

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Publisher {
 public:
  static Result<Publisher> bind(Context& context, const std::string& endpoint);
  ~Publisher();
  Publisher(Publisher&&) noexcept;
  // Never blocks: a subscriber that is too far behind loses messages, and one that just connected may miss
  // the first ones. Sequence numbers in the messages show it; state is asked for by a call.
  void publish(std::string_view topic, const google::protobuf::Message& message) noexcept;

 private:
  struct State;
  explicit Publisher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Subscriber {
 public:
  // `topic` is a prefix; empty for all.
  static Result<Subscriber> connect(Context& context, const std::string& endpoint, std::string_view topic);
  ~Subscriber();
  Subscriber(Subscriber&&) noexcept;
  // False when nothing came in time. `topic` and `body` stay valid until the next call.
  bool receive(std::string_view& topic, std::string_view& body, std::chrono::milliseconds timeout);
  // Readable (edge-triggered) when something may have arrived since receive() last returned false: sleep on it only
  // then.
  int descriptor() const noexcept;

 private:
  struct State;
  explicit Subscriber(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Every role serves "<kind>.LogLevel": what is logged, asked and changed while it runs (operations.proto).
void serve_log_level(Server& server, const std::string& kind);

// Where the roles of a site listen: "ipc://<run folder>/<role>.sock" and "<role>.events.sock". A run folder
// too long for a Unix socket's address (107 bytes) is replaced by a short one made of its hash in /tmp.
std::string call_endpoint(const std::string& run_folder, std::string_view role);
std::string event_endpoint(const std::string& run_folder, std::string_view role);

}  // namespace rltune::bus
