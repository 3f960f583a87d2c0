// Any bytes a peer sends as its certificate or chain are judged and nothing else, and never trusted. Half of
// the inputs change a real certificate, pairs of place and byte, so that the judge sees inside one.
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "rltune/plant/opcua_pki.hpp"
#include "temporary_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  static const TemporaryFolder folder;
  static const auto pki = *plant::OpcuaPki::open(folder.path());
  static const auto real =
      plant::make_identity({.application_uri = "urn:fuzz", .hosts = {"127.0.0.1"}}, TimePoint{})->certificate;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 0 && data[0] % 2 == 1) {
    bytes = real;
    for (std::size_t i = 1; i + 2 < size; i += 3)
      bytes[(data[i] * 256u + data[i + 1]) % bytes.size()] = static_cast<char>(data[i + 2]);
  }
  (void)plant::read_certificate(bytes);
  if (pki.verify(bytes, {}, TimePoint(std::chrono::hours(24 * 365 * 55)))) std::abort();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "rejected", ignored))
    std::filesystem::remove(entry, ignored);
  return 0;
}
