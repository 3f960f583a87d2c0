// Targets of request lines as a stranger may write them.
#include <cstdint>
#include <cstdlib>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = rltune::webserver::parse_target(text);
  if (!target) return 0;
  if (!target->path.starts_with('/') || target->path.contains('?')) std::abort();
  for (const auto& [name, value] : target->query)
    if (name.empty() || name.contains('\0') || value.contains('\0')) std::abort();
  return 0;
}
