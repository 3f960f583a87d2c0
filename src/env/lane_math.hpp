// Exponentials that a compiler can vectorise: straight-line code, no table, no branch. One function for every
// batch size and instruction set, so that the bits of a trajectory never depend on either.
//
// Accuracy: within 1 ulp of the true value for arguments in [-700, 700] (lane_math_test); clamped beyond.
#pragma once

#include <bit>
#include <cstdint>

namespace rltune::env {

// exp(r) for |r| <= 0.35 by its Taylor series to r^13 (remainder 4e-18), in Estrin's order; times 2^k.
inline double exp_reduced(double r, std::uint64_t k) noexcept {
  const double r2 = r * r;
  const double r4 = r2 * r2;
  const double a = 1.0 / 2 + r * (1.0 / 6);
  const double b = 1.0 / 24 + r * (1.0 / 120);
  const double c = 1.0 / 720 + r * (1.0 / 5040);
  const double d = 1.0 / 40320 + r * (1.0 / 362880);
  const double e = 1.0 / 3628800 + r * (1.0 / 39916800);
  const double f = 1.0 / 479001600 + r * (1.0 / 6227020800.0);
  const double low = a + r2 * b;
  const double middle = c + r2 * d;
  const double high = e + r2 * f;
  const double value = 1.0 + (r + r2 * (low + r4 * (middle + r4 * high)));
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) + (k << 52));
}

// Adding it leaves the nearest integer in the low bits of the significand (|x| < 2^51).
inline constexpr double kRounder = 0x1.8p52;

inline double lane_clamp(double x, double low, double high) noexcept {
  const double raised = x < low ? low : x;
  return raised > high ? high : raised;
}

inline double lane_exp(double x) noexcept {
  const double clamped = lane_clamp(x, -700.0, 700.0);
  const double shifted = clamped * 0x1.71547652b82fep0 + kRounder;  // 1/ln 2
  const double k = shifted - kRounder;
  // ln 2 in two parts: k times the first is exact (Cody & Waite 1980).
  const double r = (clamped - k * 0x1.62e42fee00000p-1) - k * 0x1.a39ef35793c76p-33;
  return exp_reduced(r, std::bit_cast<std::uint64_t>(shifted));
}

inline double lane_exp2(double x) noexcept {
  const double clamped = lane_clamp(x, -1000.0, 1000.0);
  const double shifted = clamped + kRounder;
  return exp_reduced((clamped - (shifted - kRounder)) * 0x1.62e42fefa39efp-1, std::bit_cast<std::uint64_t>(shifted));
}

}  // namespace rltune::env
