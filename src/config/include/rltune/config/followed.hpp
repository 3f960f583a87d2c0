// A file of a site that whoever holds it takes over while it runs: telemetry.yaml, retention.yaml, users.yaml.
//
// Threads: one.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/config/users.hpp"

namespace rltune::config {

// T: Telemetry, Retention or Users.
template <typename T>
class Followed {
 public:
  // `folder`: the site's.
  explicit Followed(const std::filesystem::path& folder);

  // Looks whether the file changed: true when the value is another, and at the first time. A file that is not there
  // says what the defaults say; one that cannot be used changes nothing, which is logged once.
  bool turn();
  const T& value() const noexcept { return value_; }

 private:
  std::filesystem::path file_;
  std::optional<std::filesystem::file_time_type> seen_;
  T value_;
};

// A time of retention.yaml in days, asked again and again by whoever keeps the store.
std::function<Duration()> kept_for(const std::filesystem::path& folder, double Retention::* days);

extern template class Followed<Telemetry>;
extern template class Followed<Retention>;
extern template class Followed<Users>;

}  // namespace rltune::config
