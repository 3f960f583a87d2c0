// Vectors of floats that start on a cache line, as the kernels like them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace rltune::nn {

inline constexpr std::size_t kAlignment = 64;

template <typename T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() noexcept = default;
  template <typename U>  // NOLINTNEXTLINE(google-explicit-constructor): containers convert it
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kAlignment}));
  }
  void deallocate(T* pointer, std::size_t) noexcept { ::operator delete(pointer, std::align_val_t{kAlignment}); }
  template <typename U>
  bool operator==(const AlignedAllocator<U>&) const noexcept {
    return true;
  }
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;

// The next multiple of a cache line's 16 floats.
constexpr std::size_t padded(std::size_t count) noexcept { return (count + 15) / 16 * 16; }

}  // namespace rltune::nn
