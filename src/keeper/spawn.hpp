// Starts one program as the keeper's child: its own process group, killed by the kernel when the keeper
// dies, its output in a pipe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::keeper {

struct Program {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=value, over the keeper's own
  int nice = 0;
  int oom_score_adjust = 0;
  int inherited = -1;  // becomes kKeeperDescriptor in the child
};

struct Process {
  pid_t pid = 0;
  int output = -1;  // reads stdout and stderr; the caller closes it
};

// Errors: not_found, denied, io: what execve() said, with the program's name.
// REQUIRES: this process has one thread.
Result<Process> spawn(const Program& program);

}  // namespace rltune::keeper
