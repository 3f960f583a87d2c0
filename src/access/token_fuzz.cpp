// Tokens as a stranger may write them: none is ever good that was not signed here, and none crashes.
#include <cstdint>
#include <cstdlib>

#include "../base/testing/temporary_folder.hpp"
#include "rltune/access/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  static const TemporaryFolder folder;
  static const WallClock clock;
  static const auto keys = access::KeyRing::open({.file = folder.path() / "keys"}, clock).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (access::verify_token(text, *keys, {.issuer = "rltune", .audience = "site"}, clock.now())) std::abort();
  return 0;
}
