#include "rltune/base/scheduling.hpp"

#include <pthread.h>

namespace rltune {

bool run_first() noexcept {
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_RR);
  return ::sched_setscheduler(0, SCHED_RR, &parameters) == 0;
}

OrdinaryThreads::OrdinaryThreads() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &signals_);
  ::pthread_getschedparam(::pthread_self(), &policy_, &parameters_);
  const sched_param ordinary{};
  ::pthread_setschedparam(::pthread_self(), SCHED_OTHER, &ordinary);
}

OrdinaryThreads::~OrdinaryThreads() {
  ::pthread_setschedparam(::pthread_self(), policy_, &parameters_);
  ::pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
}

}  // namespace rltune
