// Answers questions about what is on disk, on a thread of low priority and at an endpoint of its own: the loop of the
// role that it runs in neither waits for it nor shares a lock with it.
//
// Threads: the handlers run on ReadingThread's thread, one at a time. A question that is asked after its deadline is
// dropped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::reading {

// By which coredinator knows it: "io.records".
std::string reading_target(std::string_view role);

class ReadingThread {
 public:
  // `add` gives the server its handlers; what they use outlives the ReadingThread. Errors: those of
  // bus::Server::bind().
  static Result<ReadingThread> start(const std::string& run_folder, std::string_view role,
                                     const std::function<void(bus::Server&)>& add);
  // Waits for the question in hand.
  ~ReadingThread();
  ReadingThread(ReadingThread&&) noexcept;

 private:
  struct State;
  explicit ReadingThread(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::reading
