#include "rltune/base/interrupt.hpp"

#include <unistd.h>

#include <csignal>

namespace rltune {
namespace {

volatile std::sig_atomic_t g_interrupts = 0;

void on_signal(int number) {
  g_interrupts = g_interrupts + 1;
  if (g_interrupts > 1) ::_exit(128 + number);
}

}  // namespace

void catch_interrupts() noexcept {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return g_interrupts != 0; }

}  // namespace rltune
