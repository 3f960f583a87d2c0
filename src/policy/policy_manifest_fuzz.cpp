// Outside bytes as a manifest. The seal is made here, so that the bytes reach the parser behind it.
#include <cstdlib>

#include "manifest_yaml.hpp"
#include "rltune/base/sha256.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  std::string text(reinterpret_cast<const char*>(data), size);
  if (text.empty() || text.back() != '\n') text += '\n';
  const auto manifest = policy::read_manifest(text + "sha256: " + sha256(text) + "\n");
  if (!manifest) return 0;
  if (!policy::read_manifest(policy::write_manifest(*manifest))) std::abort();  // what was read can be written
  return 0;
}
