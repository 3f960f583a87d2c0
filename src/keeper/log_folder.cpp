#include "log_folder.hpp"

#include <algorithm>
#include <format>
#include <map>

namespace rltune::keeper {
namespace {

constexpr auto kTurnEvery = std::chrono::seconds(10);
constexpr std::uint64_t kFileBytesMost = 16 * 1024 * 1024, kFileBytesLeast = 64 * 1024;
// One file is so small a part of all that the newest lines of every role stay when the oldest go.
constexpr std::uint64_t kFilesAtLeast = 16;
constexpr double kAlarmFrom = 1.5;  // times the free space at which logs go
constexpr double kMegabyte = 1e6, kGigabyte = 1e9;

// "io.log" or "io.log.20260102T030405Z" -> "io"; empty for any other file.
std::string role_of(const std::string& name, bool& aside) {
  const std::size_t at = name.rfind(".log");
  if (at == std::string::npos || at == 0) return {};
  const std::string_view rest = std::string_view(name).substr(at + 4);
  aside = !rest.empty();
  return aside && rest[0] != '.' ? std::string() : name.substr(0, at);
}

std::string stamp(TimePoint time) {
  std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string gigabytes(std::uint64_t bytes) { return std::format("{:.2f} GB", static_cast<double>(bytes) / kGigabyte); }

}  // namespace

LogFolder::LogFolder(std::filesystem::path folder, const Clock& clock, Say say, Space space)
    : folder_(std::move(folder)), clock_(clock), say_(std::move(say)), space_(std::move(space)) {}

LogFolder::Space LogFolder::real_space() {
  return [](const std::filesystem::path& folder) {
    std::error_code code;
    return std::filesystem::space(folder, code);  // all ones where it cannot be told
  };
}

void LogFolder::set(const LogLimits& limits) {
  due_ = due_ || limits != limits_;
  limits_ = limits;
}

std::uint64_t LogFolder::file_bytes_max() const noexcept {
  return std::clamp(limits_.bytes_max / kFilesAtLeast, kFileBytesLeast, kFileBytesMost);
}

void LogFolder::put_aside(const std::filesystem::path& file) {
  std::error_code code;
  std::filesystem::path aside = file.string() + "." + stamp(clock_.now());
  for (int i = 2; std::filesystem::exists(aside, code); ++i)
    aside = std::format("{}.{}.{}", file.string(), stamp(clock_.now()), i);
  std::filesystem::rename(file, aside, code);
  due_ = true;
}

std::vector<LogFolder::Old> LogFolder::list(const std::set<std::string>& written) {
  std::vector<Old> files;
  figures_.bytes = 0;
  std::error_code code;
  for (auto entry = std::filesystem::directory_iterator(folder_, code); !code && entry != decltype(entry){};
       entry.increment(code)) {
    bool aside = false;
    const std::string role = role_of(entry->path().filename().string(), aside);
    std::error_code gone;
    if (role.empty() || !entry->is_regular_file(gone)) continue;
    Old old{.path = entry->path(), .written = entry->last_write_time(gone), .bytes = entry->file_size(gone)};
    if (gone) continue;
    figures_.bytes += old.bytes;
    if (aside || !written.contains(role)) files.push_back(std::move(old));
  }
  std::ranges::sort(
      files, [](const Old& a, const Old& b) { return std::tie(a.written, a.path) < std::tie(b.written, b.path); });
  return files;
}

void LogFolder::look_at_disk() {
  const std::filesystem::space_info space = space_(folder_);
  figures_.free_bytes = space.available;
  figures_.free_bytes_min = std::min<std::uint64_t>(limits_.free_bytes_min, space.capacity / 10);
}

std::string LogFolder::reason_to_remove(const Old& oldest) const {
  const auto age = clock_.now() - std::chrono::file_clock::to_sys(oldest.written);
  if (age > limits_.age) return std::format("older than {:.4g} days", to_seconds(limits_.age) / 86'400.0);
  if (figures_.bytes > limits_.bytes_max)
    return std::format("all together more than {:.4g} MB", static_cast<double>(limits_.bytes_max) / kMegabyte);
  if (figures_.free_bytes < figures_.free_bytes_min)
    return std::format("less than {} free on the disk", gigabytes(figures_.free_bytes_min));
  return {};
}

void LogFolder::turn(const std::set<std::string>& written) {
  const Duration now = clock_.steady();
  if (!due_ && now < next_) return;
  due_ = false;
  next_ = now + kTurnEvery;
  look_at_disk();
  warn();
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> removed;  // by reason: files, bytes
  for (const Old& oldest : list(written)) {
    const std::string reason = reason_to_remove(oldest);
    if (reason.empty()) break;
    std::error_code code;
    if (!std::filesystem::remove(oldest.path, code)) continue;
    figures_.bytes -= oldest.bytes;
    removed[reason].first += 1;
    removed[reason].second += oldest.bytes;
    look_at_disk();
  }
  for (const auto& [reason, what] : removed) {
    figures_.removed_files += what.first;
    figures_.removed_bytes += what.second;
    say_("INFO", std::format("retention removed {} of old logs, {:.1f} MB: {}",
                             what.first == 1 ? "1 file" : std::format("{} files", what.first),
                             static_cast<double>(what.second) / kMegabyte, reason));
  }
}

// Once as it gets worse; again when it had been well in between.
void LogFolder::warn() {
  const auto free = static_cast<double>(figures_.free_bytes), least = static_cast<double>(figures_.free_bytes_min);
  const Alarm now = free < least ? Alarm::below : free < kAlarmFrom * least ? Alarm::low : Alarm::none;
  if (now > alarm_)
    say_(now == Alarm::below ? "ERROR" : "WARNING",
         std::format("the disk of {} has {} free; {} {}", folder_.string(), gigabytes(figures_.free_bytes),
                     now == Alarm::below ? "the oldest logs go until there are" : "below",
                     gigabytes(figures_.free_bytes_min)) +
             (now == Alarm::below ? "" : " the oldest logs go"));
  alarm_ = now;
}

}  // namespace rltune::keeper
