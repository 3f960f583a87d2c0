// Values of tags as they arrive, over WebSockets.
//
// A client names the tags it wants; clients that want the same share a channel, whose frames are made once. What comes
// within a tick is one frame with the latest value of each tag. A client that reads slowly fills its own queue alone:
// while that is full its frames are passed over, and the next one that it gets holds every tag of the channel, so that
// it is behind and never wrong. After a lost connection a client names the last frame it had, and gets what it missed,
// or everything where that is too long ago.
//
// Threads: any; frames are made on a thread of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "rltune/bus/bus.hpp"
#include "rltune/webserver/socket.hpp"

namespace rltune::gateway {

struct LiveOptions {
  std::vector<std::string> tags;  // of the site, by their index
  std::string events;             // endpoint of io's events
  Duration tick = std::chrono::milliseconds(100);
  std::size_t kept_frames = 600;  // of what changed, to go on from
};

class Live {
 public:
  // Errors: those of the bus.
  static Result<std::unique_ptr<Live>> start(bus::Context& context, LiveOptions options);
  ~Live();

  // Of a client that may read the plant.
  webserver::SocketEvents join(const std::shared_ptr<webserver::Socket>& socket);

 private:
  struct State;
  explicit Live(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::gateway
