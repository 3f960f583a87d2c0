// Any bytes are a journal, a control room's file and a fault, or a refusal of each: never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dcs_file.hpp"
#include "sensor_fault.hpp"
#include "state_journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::twin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto journal = parse_journal(text, "journal", "p t", 2))
    for (const StepRecord& step : journal->steps)
      if (step.inputs.size() != 2) std::abort();
  if (const auto settings = parse_dcs(text))
    for (const ModeSetting& setting : *settings)
      if (setting.mode > 1) std::abort();
  if (const auto fault = parse_fault(text); fault && fault->tag.empty()) std::abort();
  return 0;
}
