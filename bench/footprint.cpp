#include "footprint.hpp"

#include <format>
#include <fstream>
#include <string>

#include "rltune/base/statistics.hpp"

namespace rltune::bench {

Process look_at(pid_t pid) {
  Process process;
  std::ifstream status(std::format("/proc/{}/status", pid));
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      status >> process.resident_mib;
      process.resident_mib /= 1024.0;
    }
  std::error_code ignored;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::format("/proc/{}/fd", pid), ignored))
    ++process.descriptors;
  return process;
}

Files look_at(const std::filesystem::path& folder) {
  Files files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    if (!entry.is_regular_file(ignored)) continue;
    const double mib = static_cast<double>(entry.file_size(ignored)) / (1024.0 * 1024.0);
    files.mib += mib;
    if (entry.path().string().ends_with("-wal")) files.wal_mib += mib;
  }
  return files;
}

void Growth::add(double hours, double mib) {
  hours_.push_back(hours);
  mib_.push_back(mib);
}

double Growth::mib() const { return mib_.empty() ? 0.0 : mib_.back() - mib_.front(); }

double Growth::mib_per_hour() const {
  if (hours_.size() < 2) return 0.0;
  const double hours = mean(hours_), level = mean(mib_);
  double above = 0.0, below = 0.0;
  for (std::size_t i = 0; i < hours_.size(); ++i) {
    above += (hours_[i] - hours) * (mib_[i] - level);
    below += (hours_[i] - hours) * (hours_[i] - hours);
  }
  return above / below;
}

}  // namespace rltune::bench
