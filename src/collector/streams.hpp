// What the role keeps: a buffer of logs and one of metrics, in telemetry/ of the site's storage. Internal.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "rltune/base/clock.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/telemetry/intake.hpp"

namespace rltune::collector {

class Streams {
 public:
  // On the intake's own thread, after each commit.
  using Committed = std::function<void(const std::string& stream)>;
  // `clock` and `registry` outlive it. Errors: io; denied: another process has the folder.
  static Result<Streams> open(const std::filesystem::path& folder, const config::Collect& collect, const Clock& clock,
                              metrics::Registry& registry, const Committed& committed);

  telemetry::Intake& logs() const noexcept { return *logs_; }
  telemetry::Intake& metrics() const noexcept { return *metrics_; }
  telemetry::Intake& of(const std::string& stream) const noexcept { return stream == "logs" ? *logs_ : *metrics_; }
  // Names this buffer to whoever receives from it: made with the folder.
  const std::string& source() const noexcept { return source_; }

 private:
  std::string source_;
  std::unique_ptr<telemetry::Intake> logs_, metrics_;
};

}  // namespace rltune::collector
