// Outside bytes as an OTLP request, in both encodings. What is taken is an entry as our own senders might give it.
#include <cstdint>
#include <cstdlib>

#include "entry_text.hpp"
#include "frame.hpp"
#include "rltune/telemetry/otlp_logs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::telemetry;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const OtlpEncoding encoding : {OtlpEncoding::protobuf, OtlpEncoding::json}) {
    const auto parsed = parse_otlp_logs(body, encoding, rltune::TimePoint(std::chrono::hours(400'000)));
    if (!parsed) continue;
    if ((parsed->rejected > 0) == parsed->faults.empty()) std::abort();
    (void)otlp_answer(*parsed, encoding);
    for (std::size_t i = 0; i < parsed->payloads.size(); ++i) {
      const std::string_view payload = parsed->payloads[i];
      const ParsedEntries again = parse_entries(payload);
      if (payload.size() > kPayloadMax || again.payloads.size() != 1 || again.payloads[0] != payload ||
          !read_entry(payload))
        std::abort();
    }
  }
  return 0;
}
