#include "rltune/base/version.hpp"

namespace rltune {
namespace {

// Once in each program, behind a mark, and read while it runs: so a program of another version can be made of this one
// without compiling, which the tests of upgrades do.
struct Record {
  char mark[16];
  char text[32];
};
[[gnu::used]] constexpr Record kRecord{"rltune-version:", RLTUNE_VERSION};

}  // namespace

std::string_view version() noexcept {
  const char* const volatile text = kRecord.text;
  return text;
}

}  // namespace rltune
