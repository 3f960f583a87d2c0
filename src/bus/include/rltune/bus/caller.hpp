// A Caller has many calls under way at once over one connection, from many threads: what a door to the outside needs.
//
// Threads: call() from any thread. Answers come on the Caller's own thread, one after another: whoever takes one must
//          not wait there, nor throw, nor end the Caller.
// Time:    call() never waits. Every call is over by its deadline, to the millisecond.
// Memory:  what is under way is bounded by in_flight_max and kMessageBytesMax each.
// Traces:  as of Client; an answer is taken within the trace and the correlation id of its call.
#pragma once

#include <cstddef>
#include <functional>

#include "rltune/bus/bus.hpp"

namespace rltune::bus {

struct CallOptions {
  std::string method, target;
  std::string correlation_id;  // empty: of the call that this thread serves, if it serves one
  std::string token;           // who asks, as handlers get it in Call::token
  std::chrono::milliseconds timeout{};
};

struct CallerSettings {
  std::size_t in_flight_max = 1'000;
};

class Caller {
 public:
  using Answered = std::function<void(Result<std::string>)>;

  // Succeeds whether or not somebody listens yet; reconnects by itself. Errors: invalid_argument, internal.
  static Result<Caller> connect(const std::string& endpoint, const CallerSettings& settings = {});
  // What is under way is answered disconnected, on the Caller's thread, before this returns; it may have been served.
  ~Caller();
  Caller(Caller&&) noexcept;

  // `answered` is called exactly once, with the answer, the handler's own error, or
  //   timeout           no answer by the deadline; a later one is dropped
  //   disconnected      nobody was there by the deadline; or the server went away after the call was sent (it may have
  //                     been served); or the Caller ends
  // A call that is not taken is answered at once, on the thread that calls and before this returns:
  //   no_space          in_flight_max are under way
  //   invalid_argument  more than kMessageBytesMax, or a method, target or correlation id that is no UTF-8
  //   disconnected      the Caller is ending
  void call(const CallOptions& options, std::string body, Answered answered);
  // Calls that are not answered yet.
  std::size_t in_flight() const noexcept;

 private:
  struct State;
  explicit Caller(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::bus
