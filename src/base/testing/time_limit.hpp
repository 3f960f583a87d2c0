// What a test may demand of the wall clock: the time that is promised, or several times that under a sanitizer, which
// slows everything and looks for what does not depend on time.
#pragma once

namespace rltune {

template <typename Duration>
constexpr Duration time_limit(Duration promised) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return promised * 5;
#else
  return promised;
#endif
}

}  // namespace rltune
