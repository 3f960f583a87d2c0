#include "staging.hpp"

#include <chrono>
#include <format>
#include <vector>

#include "names.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

constexpr auto kUnfinishedFor = std::chrono::hours(1);  // whoever works on one writes all the time

// "pilot-20260102T030000Z.rltune-backup.4711.part"
bool is_unfinished(const std::string& name, const std::string& site) {
  if (!name.ends_with(".part")) return false;
  const std::size_t process = name.rfind('.', name.size() - 6);
  return process != std::string::npos && is_backup(std::string_view(name).substr(0, process), site);
}

}  // namespace

Result<Staging> Staging::make(const fs::path& data) {
  const fs::path folder = data / kStaging;
  std::error_code code;
  fs::remove_all(folder, code);
  fs::create_directories(folder, code);
  fs::permissions(folder, fs::perms::owner_all, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
  return Staging(folder);
}

Staging::~Staging() {
  std::error_code code;
  if (!folder_.empty()) fs::remove_all(folder_, code);
}

void remove_unfinished(const fs::path& target, const std::string& site) {
  std::error_code code;
  std::vector<fs::path> found;
  for (auto entry = fs::directory_iterator(target, code); !code && entry != fs::directory_iterator();
       entry.increment(code))
    if (is_unfinished(entry->path().filename().string(), site)) found.push_back(entry->path());
  for (const fs::path& file : found) {
    std::error_code gone;
    const auto written = fs::last_write_time(file, gone);
    if (!gone && fs::file_time_type::clock::now() - written > kUnfinishedFor) fs::remove(file, gone);
  }
}

}  // namespace rltune::backup
