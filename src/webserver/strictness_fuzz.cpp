// Heads as a stranger may write them, coming whole and in two pieces.
#include <cstdint>
#include <cstdlib>

#include "strictness.hpp"
#include "target.hpp"

using namespace rltune::webserver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)fault_of_chunk_extension(text);
  const auto whole = head_size(text);
  if (const auto half = head_size(text.substr(0, size / 2)); half && *half == 0) {
    const auto rest = head_size(text, size / 2);
    if (rest.has_value() != whole.has_value() || (whole && *rest != *whole)) std::abort();
  }
  if (!whole || *whole == 0) return 0;
  const std::string_view head = text.substr(0, *whole);
  if (fault_of(head)) return 0;
  for (std::size_t at = head.find_first_of(std::string_view("\0\r\n", 3)); at != std::string_view::npos;
       at = head.find_first_of(std::string_view("\0\r\n", 3), at + 2))
    if (head.substr(at, 2) != "\r\n") std::abort();
  return 0;
}
