#include "rltune/base/scheduling.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <cstdio>
#include <thread>

namespace rltune {
namespace {

struct sched_attr attributes_of_this_thread() {
  struct sched_attr attributes = {};
  EXPECT_EQ(::sched_getattr(0, &attributes, sizeof attributes, 0), 0);
  return attributes;
}

bool kernel_has_slices() {
  utsname name{};
  int major = 0, minor = 0;
  return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         (major > 6 || (major == 6 && minor >= 12));
}

// In a thread of its own, so that this executable's other tests run as they did.
TEST(Scheduling, short_turns_at_the_same_priority_and_threads_inherit_them) {
  if (!kernel_has_slices()) GTEST_SKIP() << "this kernel shares its processors in turns of one length";
  std::thread([] {
    const int nice = ::getpriority(PRIO_PROCESS, 0);
    ASSERT_TRUE(prefer_latency());
    EXPECT_EQ(attributes_of_this_thread().sched_runtime, 100'000U);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), nice);
    std::thread([] { EXPECT_EQ(attributes_of_this_thread().sched_runtime, 100'000U); }).join();
  }).join();
}

}  // namespace
}  // namespace rltune
