#include "rltune/base/scheduling.hpp"

#include <sched.h>

namespace rltune {

bool run_first() noexcept {
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_RR);
  return ::sched_setscheduler(0, SCHED_RR, &parameters) == 0;
}

}  // namespace rltune
