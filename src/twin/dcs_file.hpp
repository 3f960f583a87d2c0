// The control room as a file, for plants without an operator at hand: one line "heating_mode: 0" an output.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::twin {

struct ModeSetting {
  std::string tag;
  std::uint32_t mode = 0;
};

// Lines "TAG: 0|1" or "TAG=0|1"; empty ones and # comments are skipped. Errors: parse, with the line's number.
Result<std::vector<ModeSetting>> parse_dcs(std::string_view text);

// Reads the file again when it has changed.
class DcsFile {
 public:
  explicit DcsFile(std::filesystem::path path) : path_(std::move(path)) {}
  // The settings when the file is new or has changed, otherwise none. A missing file changes nothing.
  Result<std::vector<ModeSetting>> changes();

 private:
  std::filesystem::path path_;
  std::filesystem::file_time_type seen_{};
  std::string text_;
};

}  // namespace rltune::twin
