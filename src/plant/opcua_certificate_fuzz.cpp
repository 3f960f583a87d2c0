// Any bytes a peer sends as its certificate or chain are judged and nothing else, and never trusted.
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "rltune/plant/opcua_pki.hpp"
#include "temporary_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  static const TemporaryFolder folder;
  static const auto pki = *plant::OpcuaPki::open(folder.path());
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)plant::read_certificate(bytes);
  if (pki.verify(bytes, {}, TimePoint(std::chrono::hours(24 * 365 * 55)))) std::abort();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "rejected", ignored))
    std::filesystem::remove(entry, ignored);
  return 0;
}
