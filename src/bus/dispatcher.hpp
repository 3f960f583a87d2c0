// The Dispatcher turns a call's envelope and body into an answer: what a Server does, without sockets. Its input are
// outside bytes: whatever they are, it answers or drops them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::v1 {
class Envelope;
}

namespace rltune::bus {

class Dispatcher {
 public:
  Dispatcher();

  void handle(const std::string& method, Server::Handler handler);
  bool handles(std::string_view method) const { return handlers_.contains(method); }

  // Writes the answer's head (empty where it is no error) and body.
  void dispatch(const v1::Envelope& envelope, std::string_view body, std::string& answer_head,
                std::string& answer_body);

 private:
  Result<> run(const Call& call, std::string_view body, std::string& answer);

  std::map<std::string, Server::Handler, std::less<>> handlers_;
};

// Whether somebody still waits for the answer to this call.
bool expired(const v1::Envelope& envelope, TimePoint now) noexcept;

// The head of an answer that is an error.
std::string error_head(const Error& error);

// The code with this name; internal when there is none.
Errc errc_of(std::string_view name) noexcept;

}  // namespace rltune::bus
