// The Dispatcher turns a call's frames into an answer's: what a Server does, without sockets. Its input are
// outside bytes: whatever they are, it answers or drops them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::bus {

class Dispatcher {
 public:
  // Calls are dropped this long after their deadline: clocks of two hosts differ, those of one do not.
  explicit Dispatcher(Duration tolerance) : tolerance_(tolerance) {}

  void handle(const std::string& method, Server::Handler handler);
  bool handles(std::string_view method) const { return handlers_.contains(method); }

  // `frames` are [envelope, body]. Writes the answer's [head, body]; false when there is nobody to answer:
  // malformed frames, or a caller that no longer waits.
  bool dispatch(std::span<const std::string_view> frames, std::string_view caller, TimePoint now, std::string& head,
                std::string& body);
  bool expired(std::int64_t deadline_unix_ns, TimePoint now) const noexcept;
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  Result<> run(const Call& call, std::string_view body, std::string& answer);

  Duration tolerance_;
  std::map<std::string, Server::Handler, std::less<>> handlers_;
  std::uint64_t dropped_ = 0;
};

// The head of an answer that is an error.
std::string error_head(std::uint64_t call, const Error& error);

// The code with this name; internal when there is none.
Errc errc_of(std::string_view name) noexcept;

}  // namespace rltune::bus
