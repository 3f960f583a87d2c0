// The far end of a gateway sink, as light as can be: takes batches by their Idempotency-Key and checks that they come
// in order and without a gap. One connection at a time, on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "rltune/base/descriptor.hpp"

namespace rltune::bench {

class BatchReceiver {
 public:
  BatchReceiver();
  ~BatchReceiver();

  std::uint16_t port() const noexcept { return port_; }
  // While it does not, it answers 503.
  void take(bool now) noexcept { taking_ = now; }
  // While it does, it answers nothing: whoever sends waits.
  void hold(bool now) noexcept { holding_ = now; }
  std::uint64_t last() const noexcept { return last_; }         // the number of the last record
  std::uint64_t out_of_order() const noexcept { return odd_; }  // batches that did not follow
  std::uint64_t again() const noexcept { return again_; }       // batches that were there already

 private:
  void run(const std::stop_token& stop);
  void serve(int socket, const std::stop_token& stop);
  bool judge(const std::string& head);

  Descriptor listening_;
  std::uint16_t port_ = 0;
  std::atomic<bool> taking_ = false, holding_ = false;
  std::atomic<std::uint64_t> last_ = 0, odd_ = 0, again_ = 0;
  std::jthread thread_;
};

}  // namespace rltune::bench
