// Runs a program to its end, for a look at what it says.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::upgrade {

struct Ended {
  int status = 0;  // 128 + the signal that ended it
  std::string output;
};
// Both its outputs, the first 64 KiB. Errors: io; timeout: it was killed.
Result<Ended> run_program(const std::vector<std::string>& command, std::chrono::milliseconds patience);

// In a process of its own, with the rights of whoever owns the folder: what root writes there has to be theirs.
// Whether `work` said that it went well.
bool as_owner(const std::filesystem::path& folder, const std::function<bool()>& work);

}  // namespace rltune::upgrade
