#include "process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace rltune::metrics {
namespace {

// When this library was loaded, a moment after the process began.
const std::chrono::system_clock::time_point kStarted = std::chrono::system_clock::now();

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0.0, resident = 0.0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  double count = 0.0;
  std::error_code code;
  std::filesystem::directory_iterator entry("/proc/self/fd", code);
  while (!code && entry != std::filesystem::directory_iterator()) {
    count += 1.0;
    entry.increment(code);
  }
  return count;
}

}  // namespace

std::vector<ProcessFigure> process_figures() {
  return {{"process_cpu_seconds_total", "Processor time used, user and system", true, cpu_seconds()},
          {"process_resident_memory_bytes", "Memory in use", false, resident_bytes()},
          {"process_open_fds", "Open file descriptors", false, open_descriptors()},
          {"process_start_time_seconds", "When the process began, seconds since 1970", false,
           std::chrono::duration<double>(kStarted.time_since_epoch()).count()}};
}

}  // namespace rltune::metrics
