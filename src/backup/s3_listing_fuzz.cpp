// Outside bytes as an S3 server's answer.
#include <cstdlib>

#include "s3_listing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  const auto listing = rltune::backup::parse_listing(xml);
  if (listing)
    for (const auto& object : listing->objects)
      if (object.key.size() > 1024) std::abort();
  if (rltune::backup::reason_of(xml).size() > 200) std::abort();
  return 0;
}
