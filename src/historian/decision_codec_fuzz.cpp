// Outside bytes as the body of a decision record.
#include "decision_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::historian;
  Decision decision;
  const auto name_of = [](std::uint32_t number) {
    return number < 8 ? std::optional<std::string>("tag") : std::nullopt;
  };
  (void)decode_body({reinterpret_cast<const char*>(data), size}, name_of, decision);
  return 0;
}
