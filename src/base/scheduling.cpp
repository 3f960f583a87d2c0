#include "rltune/base/scheduling.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <cstdint>

namespace rltune {
namespace {
constexpr std::uint64_t kShortestSliceNs = 100'000;  // what Linux allows
}

bool prefer_latency() noexcept {
  struct sched_attr attributes = {};
  attributes.size = sizeof attributes;
  attributes.sched_policy = SCHED_OTHER;
  attributes.sched_nice = ::getpriority(PRIO_PROCESS, 0);
  attributes.sched_runtime = kShortestSliceNs;  // of the fair class: the length of a turn
  return ::sched_setattr(0, &attributes, 0) == 0;
}

}  // namespace rltune
