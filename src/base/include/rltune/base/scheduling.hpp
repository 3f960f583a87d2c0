// How the kernel shares its processors between us and others.
#pragma once

#include <sched.h>

#include <csignal>

namespace rltune {

// The calling thread, and those it starts from now on, run before everybody of ordinary priority (SCHED_RR, lowest
// real-time priority). Otherwise a thread that wakes beside busy ones may wait for the next timer tick, 4 ms, whatever
// its nice value: the kernel shares between sessions first. False, and nothing changes, without the right to it (root,
// CAP_SYS_NICE, LimitRTPRIO= of a unit). For threads that sleep nearly always: a busy one would starve the machine.
bool run_first() noexcept;

// Threads that are started while it lives run at ordinary priority and leave signals to others, whatever the thread
// that starts them does.
class OrdinaryThreads {
 public:
  OrdinaryThreads() noexcept;
  ~OrdinaryThreads();
  OrdinaryThreads(const OrdinaryThreads&) = delete;
  OrdinaryThreads& operator=(const OrdinaryThreads&) = delete;

 private:
  sigset_t signals_{};
  int policy_ = 0;
  sched_param parameters_{};
};

}  // namespace rltune
