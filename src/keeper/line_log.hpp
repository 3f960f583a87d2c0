// What one role printed, kept in the files of a LogFolder, line by line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "log_folder.hpp"

namespace rltune::keeper {

class LineLog {
 public:
  static constexpr std::size_t kLineBytesMax = 64 * 1024;

  // A file that cannot be written costs its lines alone.
  LineLog(LogFolder& folder, const std::string& role);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // Takes bytes as they come; calls `line` for each complete one. Longer ones are cut in pieces.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  void finish(const std::function<void(std::string_view)>& line);  // the last one may have no end

 private:
  void keep(std::string_view line);
  void open();

  LogFolder& folder_;
  std::filesystem::path file_;
  std::uint64_t file_bytes_ = 0;
  TimePoint begun_{};  // of the file's first line, or the last one where it was there before
  int descriptor_ = -1;
  std::string partial_;
};

}  // namespace rltune::keeper
