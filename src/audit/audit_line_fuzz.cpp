// Outside bytes as lines, as heads, and as a whole role's files. The hash is made here as well, so that the bytes reach
// what stands behind it.
#include <cstdlib>
#include <format>

#include "rltune/audit/head.hpp"
#include "rltune/audit/verify.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string sealed = std::format(R"({},"hash":"{}"}})", bytes, audit::blake2b(bytes));
  for (const std::string& text : {bytes, sealed}) {
    const auto line = audit::decode(text);
    // What is taken is written again to the same bytes, or was never written by us: both are fine, neither may crash.
    if (line) {
      audit::Line again = *line;
      (void)audit::encode(again);
    }
    (void)audit::decode_head(text);
  }
  const audit::RoleFiles files{
      .role = "io", .logs = {{"a", bytes + "\n" + sealed + "\n" + bytes}}, .heads = {{"h", bytes}}};
  if (audit::check(files, "").faults.empty() && !bytes.empty()) std::abort();
  return 0;
}
