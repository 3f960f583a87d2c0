// exp, log and tanh as straight-line code that compilers vectorise: no table, no branch, no call.
#pragma once

#include <bit>
#include <cstdint>

namespace rltune::nn {

// Relative error below 2e-7 on [-87, 88]; clamped outside. Cody-Waite reduction, the polynomial of Cephes expf.
[[gnu::always_inline]] inline float vector_exp(float x) noexcept {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  const float shifted = x * 1.44269504F + 12582912.0F;  // 1.5 * 2^23: the sum rounds to an integer
  const float n = shifted - 12582912.0F;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const std::int32_t power = (static_cast<std::int32_t>(n) + 127) << 23;
  return p * std::bit_cast<float>(power);
}

// Relative error below 2e-7 for normal x > 0. The polynomial of Cephes logf.
[[gnu::always_inline]] inline float vector_log(float x) noexcept {
  const std::int32_t bits = std::bit_cast<std::int32_t>(x);
  std::int32_t exponent = (bits >> 23) - 126;
  float m = std::bit_cast<float>((bits & 0x007FFFFF) | 0x3F000000);  // [0.5, 1)
  const bool small = m < 0.707106781F;
  exponent -= small ? 1 : 0;
  m = small ? m + m : m;
  const float r = m - 1.0F;
  const float e = static_cast<float>(exponent);
  float p = 7.0376836292e-2F;
  p = p * r - 1.1514610310e-1F;
  p = p * r + 1.1676998740e-1F;
  p = p * r - 1.2420140846e-1F;
  p = p * r + 1.4249322787e-1F;
  p = p * r - 1.6668057665e-1F;
  p = p * r + 2.0000714765e-1F;
  p = p * r - 2.4999993993e-1F;
  p = p * r + 3.3333331174e-1F;
  const float square = r * r;
  return ((p * r * square - 2.12194440e-4F * e) - 0.5F * square + r) + 0.693359375F * e;
}

// Relative error below 3e-7 for normal x in [1e-30, 1e30]: the exponent turned round (5 % off), a step of third order
// and one of second. Cheaper than the machine's division of a whole register.
[[gnu::always_inline]] inline float vector_reciprocal(float x) noexcept {
  float y = std::bit_cast<float>(0x7EF311C7 - std::bit_cast<std::int32_t>(x));
  float e = 1.0F - x * y;
  y = y + y * (e + e * e);
  e = 1.0F - x * y;
  return y + y * e;
}

// Absolute and relative error below 8e-7, inside (-1, 1): x P(x^2) / Q(x^2), fitted to the least maximum error on
// [-7.6, 7.6] (9e-8 before rounding, by Lawson's reweighted least squares) and held outside.
[[gnu::always_inline]] inline float vector_tanh(float x) noexcept {
  x = x < -7.6F ? -7.6F : x;
  x = x > 7.6F ? 7.6F : x;
  const float s = x * x;
  float p = 1.18357435195309e-05F;
  p = p * s + 2.98776410095493e-03F;
  p = p * s + 1.29595568692670e-01F;
  p = p * s + 1.0F;
  float q = 2.59179902919444e-07F;
  q = q * s + 2.43918209508085e-04F;
  q = q * s + 2.39648979076314e-02F;
  q = q * s + 4.62928207086868e-01F;
  q = q * s + 1.0F;
  return x * p * vector_reciprocal(q);
}

[[gnu::always_inline]] inline float vector_sigmoid(float x) noexcept {
  return vector_reciprocal(1.0F + vector_exp(x < -60.0F ? 60.0F : -x));
}

// log(1 + exp(x)) without overflow.
[[gnu::always_inline]] inline float vector_softplus(float x) noexcept {
  const float magnitude = x < 0.0F ? -x : x;
  return (x > 0.0F ? x : 0.0F) + vector_log(1.0F + vector_exp(-magnitude));
}

}  // namespace rltune::nn
