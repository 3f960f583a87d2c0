// Any bytes are a configuration of some kind or a refusal: never a crash, a hang or a huge tree. What is taken can be
// compared with itself, migrated and printed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rltune/config/change.hpp"
#include "rltune/config/document.hpp"
#include "rltune/config/secret.hpp"
#include "rltune/config/site.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::config;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto site = parse_site(text, "fuzz.yaml");
  if (!site && site.error().message.empty()) std::abort();
  redact(text);
  const Checked checked = check(text);
  for (const Fault& fault : checked.faults)
    if (fault.line < 1 || fault.message.empty()) std::abort();
  if (!checked.faults.empty()) return 0;
  const auto same = changes(text, text);
  if (!same || !same->empty()) std::abort();
  const auto newest = migrate(text, "fuzz.yaml", newest_version(checked.schema.kind));
  if (newest && check(*newest).schema.version != newest_version(checked.schema.kind)) std::abort();
  return 0;
}
