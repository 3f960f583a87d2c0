// Outside bytes as the marks of a receiver, and as a received record of its buffer. What is taken is written and taken
// again, to the same.
#include <cstdint>
#include <cstdlib>

#include "marks.hpp"
#include "received.hpp"
#include "rltune/base/crc32c.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::receive;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_received(bytes);
  const std::string body(bytes);
  const auto marks = parse_marks(std::format("RLTRCV1 {:08x}\n", rltune::crc32c(body)) + body);
  (void)parse_marks(bytes);
  if (!marks) return 0;
  const std::string text = to_text(*marks);
  const auto again = parse_marks(text);
  if (!again || to_text(*again) != text) std::abort();
  return 0;
}
