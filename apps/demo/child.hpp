// A program of ours as a child process: its stdout in memory, its stderr in a log file. It dies with this process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::demo {

struct Command {
  std::vector<std::string> words;        // the first is an executable beside this one, without its path
  std::vector<std::string> environment;  // NAME=value, added to ours
  std::filesystem::path log;             // stderr, appended
};

class Child {
 public:
  static Result<Child> start(const Command& command);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // kills

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const noexcept;
  // Reads what has come on stdout; false when it has ended.
  bool read(std::chrono::milliseconds patience);
  const std::string& output() const noexcept { return output_; }
  // The next whole line of stdout.
  std::optional<std::string> read_line(std::chrono::milliseconds patience);
  // Exit status, or 128 + the signal; nothing while it runs.
  std::optional<int> wait(std::chrono::milliseconds patience);

 private:
  Child(pid_t pid, int stdout_end) : pid_(pid), stdout_(stdout_end) {}
  void forget() noexcept;

  pid_t pid_ = -1;
  int stdout_ = -1;
  std::string output_;
  std::size_t line_start_ = 0;
  std::optional<int> status_;
};

// The last line that is not empty, without control characters: what a program last said of its progress.
std::string last_line(const std::filesystem::path& log);

}  // namespace rltune::demo
