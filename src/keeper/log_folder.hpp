// The roles' log files: full ones are put aside, and the oldest of those go by age, by the size of all, and first of
// all when the disk runs short.
//
// Threads: one. Errors of the disk cost log files alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/clock.hpp"

namespace rltune::keeper {

struct LogLimits {
  Duration age = std::chrono::days(30);
  std::uint64_t bytes_max = 1'024'000'000;
  // Of a file system that is smaller than ten times this: a tenth of it.
  std::uint64_t free_bytes_min = 2'000'000'000;
  bool operator==(const LogLimits&) const = default;
};

class LogFolder {
 public:
  using Space = std::function<std::filesystem::space_info(const std::filesystem::path&)>;
  using Say = std::function<void(std::string_view level, const std::string& message)>;

  // `space` tells of the file system that holds the folder.
  LogFolder(std::filesystem::path folder, const Clock& clock, Say say, Space space = real_space());

  void set(const LogLimits& limits);
  const LogLimits& limits() const noexcept { return limits_; }
  std::filesystem::path file_of(const std::string& role) const { return folder_ / (role + ".log"); }
  const Clock& clock() const noexcept { return clock_; }

  // A file is put aside when it is so large, or a day old.
  std::uint64_t file_bytes_max() const noexcept;
  void put_aside(const std::filesystem::path& file);

  // Removes what has to go; call it often. `written` are the roles whose files are open: those stay.
  void turn(const std::set<std::string>& written);

  struct Figures {
    std::uint64_t bytes = 0, removed_files = 0, removed_bytes = 0, free_bytes = 0;
    std::uint64_t free_bytes_min = 0;  // as it holds on this file system
  };
  const Figures& figures() const noexcept { return figures_; }

 private:
  struct Old {
    std::filesystem::path path;
    std::filesystem::file_time_type written;
    std::uint64_t bytes = 0;
  };
  enum class Alarm : std::uint8_t { none, low, below };

  static Space real_space();
  std::vector<Old> list(const std::set<std::string>& written);
  void look_at_disk();
  void warn();
  std::string reason_to_remove(const Old& oldest) const;

  std::filesystem::path folder_;
  const Clock& clock_;
  Say say_;
  Space space_;
  LogLimits limits_;
  Figures figures_;
  Duration next_{};
  bool due_ = true;
  Alarm alarm_ = Alarm::none;
};

}  // namespace rltune::keeper
