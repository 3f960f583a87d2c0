// Tells what is to be told, channel by channel and each in order, on threads of its own: one that does not answer keeps
// nobody else waiting. What fails is tried again, ever later; what fails too often, or was refused, is given up, logged
// and counted.
//
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/alerts/channel.hpp"

namespace rltune::alerts {

struct NotifierOptions {
  ChannelOptions channel;
  int tries_max = 10;  // with these waits, over half an hour
  Duration wait_first = std::chrono::seconds(5), wait_max = std::chrono::minutes(10);
  // What makes a channel; tests put others in their place.
  std::function<std::unique_ptr<Channel>(const config::Channel&, const ChannelOptions&)> make = make_channel;
};

struct ChannelCounts {
  std::string name, kind;
  std::size_t waiting = 0;
  std::uint64_t told = 0, failed = 0, given_up = 0;  // failed: tries
  std::string fault;                                 // of the last try; empty: it went well
};

class Notifier {
 public:
  Notifier(const std::vector<config::Channel>& channels, NotifierOptions options);
  // What is under way is broken off; it is told again by whoever kept it.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // A number that was submitted before is left out.
  void submit(const Notice& notice);
  // Those that are told or given up, by their numbers, since the last call.
  std::vector<std::uint64_t> finished();

  std::vector<ChannelCounts> counts() const;

 private:
  struct Lane;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::alerts
