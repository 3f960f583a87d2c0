// Calls that go on to others, and their answers back: each call is answered, by whom it went to or by us when that one
// goes away. Internal.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "readiness.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/base/trace.hpp"
#include "stream.hpp"

namespace rltune::v1 {
class Envelope;
}

namespace rltune::bus {

class Forwarder {
 public:
  // Numbers of connections, for Readiness, are drawn from `numbers`. `back`: an answer for a call of this peer.
  using Back = std::function<void(std::uint64_t peer, const Message& answer)>;
  Forwarder(Readiness& ready, std::uint64_t& numbers, Back back)
      : ready_(ready), numbers_(numbers), back_(std::move(back)) {}

  // Errors: disconnected (nobody there now), no_space.
  Result<> pass(const std::string& endpoint, std::uint64_t peer, const Message& call, v1::Envelope& envelope,
                TimePoint now);
  // Something happened to this connection, if it is one of ours. Returns how many answers were passed back.
  int turn(std::uint64_t connection, std::uint32_t events, TimePoint now);
  // Those that nobody waits for any more.
  void expire(TimePoint now);
  // What is still to be answered there is answered as disconnected.
  void forget(const std::string& endpoint);

 private:
  struct Waiting {
    std::uint64_t peer = 0, call = 0;  // who asked, and its own number
    TimePoint until;
    std::string target;
    trace::Span span;
  };
  struct Onward {
    std::uint64_t number;
    Stream stream;
    std::unordered_map<std::uint64_t, Waiting> waiting;  // by our number of the call
  };
  using Connections = std::map<std::string, Onward>;  // by endpoint

  Onward* connection_to(const std::string& endpoint);
  void answered(Onward& from, const Message& answer, TimePoint now);
  void lose(Connections::iterator gone);
  bool has_room() const noexcept;

  Readiness& ready_;
  std::uint64_t& numbers_;
  Back back_;
  Connections onward_;
  std::uint64_t calls_ = 0;
  TimePoint expired_;
};

}  // namespace rltune::bus
