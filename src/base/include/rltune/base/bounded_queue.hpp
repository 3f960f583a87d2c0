// A bounded queue for many writers and readers without a lock (Vyukov, "Bounded MPMC queue", 1024cores.net): each cell
// says by its turn whose it is.
//
// Memory: the constructor allocates.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>

namespace rltune {

template <typename T>
class BoundedQueue {
 public:
  // Room for `capacity` or a little more: the next power of two.
  explicit BoundedQueue(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? 2 : capacity) - 1), cells_(std::make_unique<Cell[]>(mask_ + 1)) {
    for (std::size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False when there is no room.
  bool push(const T& value) noexcept {
    std::size_t place = next_in_.load(std::memory_order_relaxed);
    while (true) {
      Cell& cell = cells_[place & mask_];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == place && next_in_.compare_exchange_weak(place, place + 1, std::memory_order_relaxed)) {
        cell.value = value;
        cell.turn.store(place + 1, std::memory_order_release);
        return true;
      }
      if (turn < place) return false;
      if (turn > place) place = next_in_.load(std::memory_order_relaxed);
    }
  }

  // False when nothing is there.
  bool pop(T& value) noexcept {
    std::size_t place = next_out_.load(std::memory_order_relaxed);
    while (true) {
      Cell& cell = cells_[place & mask_];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == place + 1 && next_out_.compare_exchange_weak(place, place + 1, std::memory_order_relaxed)) {
        value = cell.value;
        cell.turn.store(place + mask_ + 1, std::memory_order_release);
        return true;
      }
      if (turn <= place) return false;
      if (turn > place + 1) place = next_out_.load(std::memory_order_relaxed);
    }
  }

 private:
  struct Cell {
    std::atomic<std::size_t> turn;
    T value;
  };
  std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<std::size_t> next_in_ = 0;
  alignas(64) std::atomic<std::size_t> next_out_ = 0;
};

}  // namespace rltune
