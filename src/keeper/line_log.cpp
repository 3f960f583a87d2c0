#include "line_log.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

namespace rltune::keeper {

namespace {

constexpr auto kFileSpan = std::chrono::days(1);

}  // namespace

LineLog::LineLog(LogFolder& folder, const std::string& role) : folder_(folder), file_(folder.file_of(role)) { open(); }

LineLog::~LineLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void LineLog::open() {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(file_, code);
  file_bytes_ = code ? 0 : size;
  begun_ = folder_.clock().now();
  if (file_bytes_ == 0) return;
  const auto written = std::filesystem::last_write_time(file_, code);
  if (!code)
    begun_ = std::min(begun_, std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(written)));
}

void LineLog::keep(std::string_view line) {
  if (descriptor_ < 0) return;
  if (file_bytes_ >= folder_.file_bytes_max() || (file_bytes_ > 0 && folder_.clock().now() - begun_ >= kFileSpan)) {
    ::close(descriptor_);
    folder_.put_aside(file_);
    open();
  }
  if (file_bytes_ == 0) begun_ = folder_.clock().now();
  char end = '\n';
  const std::array parts{iovec{const_cast<char*>(line.data()), line.size()}, iovec{&end, 1}};
  const ssize_t count = ::writev(descriptor_, parts.data(), static_cast<int>(parts.size()));
  if (count > 0) file_bytes_ += static_cast<std::uint64_t>(count);
}

void LineLog::feed(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = kLineBytesMax - partial_.size();
    const bool complete = end != std::string_view::npos && end <= room;
    const std::size_t taken = complete ? end : std::min(bytes.size(), room);
    partial_ += bytes.substr(0, taken);
    bytes.remove_prefix(complete ? taken + 1 : taken);
    if (complete || partial_.size() >= kLineBytesMax) finish(line);
  }
}

void LineLog::finish(const std::function<void(std::string_view)>& line) {
  if (partial_.empty()) return;
  keep(partial_);
  line(partial_);
  partial_.clear();
}

}  // namespace rltune::keeper
