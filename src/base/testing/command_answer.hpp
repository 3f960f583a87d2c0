// A command as a person types it: what it said and how it ended.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "rltune/base/file.hpp"

namespace rltune {

struct CommandAnswer {
  int status = -1;  // -1: it did not exit by itself
  std::string out, err;
};

// `folder`: where what it says on stderr is kept meanwhile.
inline CommandAnswer run_command(const std::string& command, const std::filesystem::path& folder) {
  const std::string err = (folder / "stderr").string();
  CommandAnswer answer;
  std::FILE* pipe = ::popen((command + " 2>" + err + " </dev/null").c_str(), "r");
  if (pipe == nullptr) return answer;
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) answer.out.append(buffer, count);
  const int status = ::pclose(pipe);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  answer.err = read_file(err).value_or("");
  return answer;
}

}  // namespace rltune
