// How far a backup or its verification is, for whoever had it made and waits elsewhere: in a file that is replaced as
// the work goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"

namespace rltune::backup {

struct Progress {
  std::string stage;                         // copying | packing | unpacking | done | failed
  std::uint64_t bytes = 0, bytes_total = 0;  // of the stage; a total of 0 is not known
  std::string backup;                        // the name of the one that was made
  std::string trouble;                       // of what failed
  std::vector<std::string> faults, notes;    // of a verification
};
using TellProgress = std::function<void(const Progress&)>;

// Errors: io, no_space.
Result<> write_progress(const std::filesystem::path& file, const Progress& progress);
// Errors: not_found, io, parse.
Result<Progress> read_progress(const std::filesystem::path& file);

// Writes a stage when it begins and twice a second at most from then on. A file that cannot be written stops nothing.
class ProgressFile {
 public:
  explicit ProgressFile(std::filesystem::path file) : file_(std::move(file)) {}
  void operator()(const Progress& progress);

 private:
  std::filesystem::path file_;
  WallClock clock_;
  std::string stage_;
  Duration written_{};
};

}  // namespace rltune::backup
