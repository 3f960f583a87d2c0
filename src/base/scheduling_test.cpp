#include "rltune/base/scheduling.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace rltune {
namespace {

// In a thread of its own, so that this executable's other tests run as they did.
TEST(Scheduling, who_runs_first_hands_it_on_to_its_threads) {
  std::thread([] {
    const bool granted = run_first();
    EXPECT_EQ(::sched_getscheduler(0), granted ? SCHED_RR : SCHED_OTHER);
    std::thread([granted] { EXPECT_EQ(::sched_getscheduler(0), granted ? SCHED_RR : SCHED_OTHER); }).join();
  }).join();
}

}  // namespace
}  // namespace rltune
