// What one role printed, kept in a file of bounded size, line by line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace rltune::keeper {

class LineLog {
 public:
  static constexpr std::size_t kLineBytesMax = 64 * 1024;
  static constexpr std::uint64_t kFileBytesMax = 16 * 1024 * 1024;  // then <file>.1 takes the old one's place

  // A file that cannot be written costs its lines alone.
  explicit LineLog(std::filesystem::path file, std::uint64_t file_bytes_max = kFileBytesMax);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  // Takes bytes as they come; calls `line` for each complete one. Longer ones are cut in pieces.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& line);
  void finish(const std::function<void(std::string_view)>& line);  // the last one may have no end

 private:
  void keep(std::string_view line);
  void open();

  std::filesystem::path file_;
  std::uint64_t file_bytes_max_, file_bytes_ = 0;
  int descriptor_ = -1;
  std::string partial_;
};

}  // namespace rltune::keeper
