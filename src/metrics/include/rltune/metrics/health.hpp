// Whether a role can do its work, as its loop last said: one entry a dependency. A loop that no longer says anything
// is unhealthy by that alone.
//
// Threads: report() belongs to the role's loop and never waits; json() and healthy() to whoever asks.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"

namespace rltune::metrics {

struct Check {
  std::string name;
  bool ok = true;
  std::string detail;  // why not; or what is worth knowing though it is
};

class Health {
 public:
  // Silent for `silence_max`, the loop counts as hung.
  Health(std::string role, const Clock& clock, Duration silence_max = std::chrono::seconds(5));

  // What every dependency is like now; at least once a second. A report that meets a reader is skipped.
  void report(const std::vector<Check>& checks) noexcept;

  struct Answer {
    bool healthy = false;
    std::string json;
  };
  Answer answer() const;

 private:
  std::string role_;
  const Clock& clock_;
  Duration silence_max_;
  mutable std::mutex mutex_;
  std::vector<Check> checks_;
  Duration reported_{};
};

}  // namespace rltune::metrics
