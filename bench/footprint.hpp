// What processes and files take while a soak runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace rltune::bench {

struct Process {
  double resident_mib = 0.0;
  double descriptors = 0.0;
};
// Zeros for a process that is gone.
Process look_at(pid_t pid);

struct Files {
  double mib = 0.0;
  double wal_mib = 0.0;  // write-ahead logs among them
};
Files look_at(const std::filesystem::path& folder);

// Resident memory of one process over time.
class Growth {
 public:
  void add(double hours, double mib);
  double mib() const;           // last less first
  double mib_per_hour() const;  // least squares

 private:
  std::vector<double> hours_, mib_;
};

}  // namespace rltune::bench
