// How much one question is answered with, whatever it asks for.
#pragma once

#include <cstddef>

namespace rltune::reading {

inline constexpr std::size_t kPageMax = 10'000;                      // entries
inline constexpr std::size_t kPageBytesMax = std::size_t{4} << 20U;  // of entries that differ in size
inline constexpr std::size_t kLookedAtMax = 20'000;                  // of entries that were not asked for

}  // namespace rltune::reading
