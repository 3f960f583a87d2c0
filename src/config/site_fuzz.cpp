// Any bytes are a site or a refusal: never a crash, a hang or a huge tree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rltune/config/site.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto site = rltune::config::parse_site(text, "fuzz.yaml");
  if (!site && site.error().message.empty()) std::abort();
  return 0;
}
