// Outside bytes as gzip: never more than the bound; and as a text there and back.
#include <cstdint>
#include <cstdlib>

#include "rltune/forward/gzip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::forward;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kMost = 100'000;
  if (const auto text = gunzip(bytes, kMost); text && text->size() > kMost) std::abort();
  if (gunzip(gzip(bytes), size).value_or("no") != bytes) std::abort();
  return 0;
}
