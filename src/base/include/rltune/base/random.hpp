// Reproducible random numbers: xoshiro256++ (Blackman & Vigna 2021, doi 10.1145/3460772), seeded by
// splitmix64. The same (seed, stream) gives the same numbers everywhere; streams are independent.
//
// Threads: one Random belongs to one thread. Memory: none. Copying forks the state.
#pragma once

#include <array>
#include <cstdint>

namespace rltune {

class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept;

  std::uint64_t bits() noexcept {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  double uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }  // [0, 1)
  double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }
  // [0, bound), unbiased. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept;
  double normal() noexcept;  // mean 0, standard deviation 1

  // For checkpoints: the whole state, which set_state() restores exactly.
  struct State {
    std::array<std::uint64_t, 4> words{};
    double spare = 0.0;
    bool has_spare = false;
  };
  State state() const noexcept { return {state_, spare_, has_spare_}; }
  void set_state(const State& state) noexcept {
    state_ = state.words;
    spare_ = state.spare;
    has_spare_ = state.has_spare;
  }

 private:
  static std::uint64_t rotate(std::uint64_t value, int count) noexcept {
    return (value << count) | (value >> (64 - count));
  }
  std::array<std::uint64_t, 4> state_{};
  double spare_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace rltune
