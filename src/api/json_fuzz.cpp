// Whatever bytes come as a message: a fault, or a message that is written and read back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "rltune/api/account.hpp"
#include "rltune/api/json.hpp"
#include "rltune/api/site.hpp"

namespace {

template <typename T>
void check(std::string_view text) {
  const auto message = rltune::api::from_json<T>(text);
  if (!message) {
    if (message.error().empty()) std::abort();
    return;
  }
  const std::string written = rltune::api::to_json(*message);
  const auto again = rltune::api::from_json<T>(written);
  if (!again || rltune::api::to_json(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check<rltune::api::Login>(text);
  check<rltune::api::SetPointOrder>(text);
  check<rltune::api::AgentState>(text);
  check<rltune::api::PlantState>(text);
  return 0;
}
