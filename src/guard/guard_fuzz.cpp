// Turns made of bytes against the checker: whatever is proposed, seen or lost, no rule is breached.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "guard_checker.hpp"

namespace {

using rltune::guard::GuardChecker;

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  double real() {
    double value = 0.0;
    const std::size_t size = std::min(sizeof value, left_.size());
    std::memcpy(&value, left_.data(), size);
    left_ = left_.subspan(size);
    return value;
  }

 private:
  std::span<const std::uint8_t> left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  GuardChecker checker;
  while (!bytes.empty()) {
    GuardChecker::Turn turn;
    const std::uint8_t flags = bytes.byte();
    turn.wait = std::chrono::milliseconds(100) * bytes.byte();
    const std::uint8_t more = bytes.byte();
    for (auto& proposal : turn.proposals) proposal = {bytes.real(), (flags & 1U) == 0};
    if ((more & 1U) != 0) turn.by_hand = bytes.real();
    // The DCS keeps to what its own screens allow.
    if ((more & 2U) != 0) turn.by_dcs = static_cast<double>(bytes.byte()) * (150.0 / 255.0);
    if ((more & 4U) != 0) turn.mode = (more & 8U) != 0 ? rltune::guard::Mode::shadow : rltune::guard::Mode::automatic;
    turn.supervised = (more & 16U) != 0;
    turn.fallback = turn.proposals;
    turn.agent = (flags >> 1U) & 1U;
    turn.link_up = (flags & 4U) == 0;
    turn.agent_alive = (flags & 8U) == 0;
    turn.acknowledged = (flags & 16U) == 0;
    turn.heating_mode = (flags & 32U) == 0 ? 1.0 : 0.0;
    turn.temperature_bad = (flags & 64U) != 0;
    if ((flags & 128U) != 0) turn.pressure = bytes.real();
    if (checker.turn(turn)) std::abort();
  }
  return 0;
}
