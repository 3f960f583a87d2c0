// Values of tags as they arrive, over WebSockets.
//
// Whatever came within a tick is one frame; frames are numbered. A client is sent what changed since the frame that it
// had last, the latest value of each tag: clients that are up to date share one text, one that reads slowly fills its
// own queue alone and is sent less often, and one that lost its connection goes on from the frame that it names. So
// nobody waits for anybody, what is kept is one value a tag, and a client may be behind and is never wrong. Every
// sample there was is in the historian.
//
// From the client, at any time:  {"subscribe": ["air_temperature", ...]}   empty: every tag
//                                and, to go on: "epoch": "...", "after": 17, as in the last frame that it had
// To the client:                 {"epoch": "...", "frame": 18, "values": {"air_temperature": [21.5, "good",
// 1767225600123]}}
//                                value, quality, milliseconds of its source time since 1970 (UTC)
//
// Threads: join() any; frames are made on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/bus/bus.hpp"
#include "rltune/webserver/socket.hpp"

namespace rltune::v1 {
class SampleBatch;
}

namespace rltune::gateway {

struct LiveTag {
  std::string name;
  std::size_t elements = 1;
};

struct LiveOptions {
  std::vector<LiveTag> tags;  // of the site, in its order
  std::string events;         // endpoint of io's events
  Duration tick = std::chrono::milliseconds(100);
  // Asks io for the latest value of every tag, and gives what it says to `fill`, from any thread: at the start, and
  // after a gap. Must not wait.
  using Fill = std::function<void(const v1::SampleBatch&)>;
  std::function<void(Fill fill)> ask;
};

struct LiveFigures {
  std::uint64_t clients = 0, frames = 0, texts = 0, sent = 0, passed_over = 0;  // passed_over: a queue was full
};

class Live {
 public:
  // Errors: those of the bus.
  static Result<std::unique_ptr<Live>> start(bus::Context& context, LiveOptions options);
  ~Live();

  // A client that may read the plant. `may_stay` is asked every few seconds: a session may end meanwhile.
  webserver::SocketEvents join(const std::shared_ptr<webserver::Socket>& socket, std::function<bool()> may_stay);
  LiveFigures figures() const;

 private:
  struct State;
  explicit Live(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the sockets, which may outlive it
};

}  // namespace rltune::gateway
