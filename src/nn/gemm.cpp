#include "gemm.hpp"

#include <cstdlib>

#include "instruction_set.hpp"
#include "rltune/base/check.hpp"

#ifdef RLTUNE_WITH_LIBXSMM
#include <libxsmm.h>
#endif

namespace rltune::nn {
namespace {

// Columns of C in blocks of four: each column of A is loaded once a block, the inner loop vectorises.
RLTUNE_NN_CLONES void portable_gemm(const GemmShape& s, const float* __restrict a, const float* __restrict b,
                                    float* __restrict c) noexcept {
  for (std::size_t j = 0; j < s.n; ++j) {
    float* __restrict column = c + j * s.c_stride;
    if (!s.accumulate)
      for (std::size_t i = 0; i < s.m; ++i) column[i] = 0.0F;
    for (std::size_t p = 0; p < s.k; ++p) {
      const float factor = s.b_transposed ? b[j + p * s.b_stride] : b[p + j * s.b_stride];
      const float* __restrict source = a + p * s.a_stride;
      for (std::size_t i = 0; i < s.m; ++i) column[i] += source[i] * factor;
    }
  }
}

}  // namespace

Gemm::Gemm(const GemmShape& shape, [[maybe_unused]] bool portable) : shape_(shape) {
  RLTUNE_CHECK(shape.m > 0 && shape.n > 0 && shape.k > 0);
#ifdef RLTUNE_WITH_LIBXSMM
  if (portable) return;
  const auto narrow = [](std::size_t value) { return static_cast<libxsmm_blasint>(value); };
  const libxsmm_blasint lda = narrow(shape.a_stride), ldb = narrow(shape.b_stride), ldc = narrow(shape.c_stride);
  const float alpha = 1.0F, beta = shape.accumulate ? 1.0F : 0.0F;
  const int flags = shape.b_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  kernel_ = libxsmm_smmdispatch(narrow(shape.m), narrow(shape.n), narrow(shape.k), &lda, &ldb, &ldc, &alpha, &beta,
                                &flags, &prefetch);
#endif
}

void Gemm::operator()(const float* a, const float* b, float* c) const noexcept {
  if (kernel_ != nullptr)
    kernel_(a, b, c);
  else
    portable_gemm(shape_, a, b, c);
}

}  // namespace rltune::nn
