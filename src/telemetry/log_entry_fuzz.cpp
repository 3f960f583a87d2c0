// Outside bytes as the body of a request. What is taken is taken again as it is, to the same bytes; what it
// says is found in it without a document.
#include <cstdint>
#include <cstdlib>

#include "entry_text.hpp"
#include "frame.hpp"
#include "rltune/telemetry/log_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::telemetry;
  const ParsedEntries parsed = parse_entries({reinterpret_cast<const char*>(data), size});
  if (parsed.payloads.empty() == parsed.faults.empty() || parsed.faults.size() > kFaultsMax) std::abort();
  for (std::size_t i = 0; i < parsed.payloads.size(); ++i) {
    const std::string_view payload = parsed.payloads[i];
    const ParsedEntries again = parse_entries(payload);
    if (!read_entry(payload)) std::abort();
    if (payload.size() > kPayloadMax || again.payloads.size() != 1 || again.payloads[0] != payload) std::abort();
  }
  return 0;
}
