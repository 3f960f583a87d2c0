#include "gemm.hpp"

#include <gtest/gtest.h>

#include "rltune/base/random.hpp"
#include "rltune/nn/aligned.hpp"

namespace rltune::nn {
namespace {

AlignedFloats random_matrix(std::size_t count, Random& random) {
  AlignedFloats values(count);
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

// The definition, in double precision.
void expect_product(const GemmShape& s, bool portable) {
  Random random(7);
  const AlignedFloats a = random_matrix(s.a_stride * s.k, random);
  const AlignedFloats b = random_matrix(s.b_stride * (s.b_transposed ? s.k : s.n), random);
  AlignedFloats c = random_matrix(s.c_stride * s.n, random);
  const AlignedFloats before = c;
  Gemm(s, portable)(a.data(), b.data(), c.data());
  for (std::size_t j = 0; j < s.n; ++j) {
    for (std::size_t i = 0; i < s.m; ++i) {
      double expected = s.accumulate ? static_cast<double>(before[i + j * s.c_stride]) : 0.0;
      for (std::size_t p = 0; p < s.k; ++p)
        expected += static_cast<double>(a[i + p * s.a_stride]) *
                    static_cast<double>(s.b_transposed ? b[j + p * s.b_stride] : b[p + j * s.b_stride]);
      ASSERT_NEAR(c[i + j * s.c_stride], expected, 2e-6 * static_cast<double>(s.k)) << i << ", " << j;
    }
    for (std::size_t i = s.m; i < s.c_stride; ++i) ASSERT_EQ(c[i + j * s.c_stride], before[i + j * s.c_stride]);
  }
}

TEST(Gemm, computes_the_product_of_every_shape_compiled_and_portable) {
  for (const bool portable : {false, true})
    for (const bool transposed : {false, true})
      for (const bool accumulate : {false, true})
        for (const std::size_t m : {1, 3, 16, 65})
          for (const std::size_t n : {1, 7, 32})
            for (const std::size_t k : {1, 12, 100})
              expect_product({.m = m,
                              .n = n,
                              .k = k,
                              .a_stride = m + 2,
                              .b_stride = (transposed ? n : k) + 5,
                              .c_stride = m + 3,
                              .b_transposed = transposed,
                              .accumulate = accumulate},
                             portable);
}

}  // namespace
}  // namespace rltune::nn
