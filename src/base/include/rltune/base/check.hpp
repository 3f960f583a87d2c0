// RLTUNE_CHECK(condition): always on. A false condition is our bug: it prints where and aborts; the
// supervisor restarts the role and the outputs go safe.
#pragma once

namespace rltune {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}

#define RLTUNE_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::rltune::check_failed(#condition, __FILE__, __LINE__))
