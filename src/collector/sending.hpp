// Every sink of telemetry.yaml with every stream that it takes. Internal.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "rltune/base/clock.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/forward/forwarder.hpp"
#include "rltune/metrics/registry.hpp"
#include "streams.hpp"

namespace rltune::collector {

class Sending {
 public:
  struct Options {
    std::string site;
    std::filesystem::path site_folder;  // of the sinks' relative files
    std::filesystem::path folder;       // of their progress
  };
  // All but `telemetry` outlive it. Errors: of a sink that cannot be: its name is said.
  static Result<std::unique_ptr<Sending>> start(const config::Telemetry& telemetry, const Options& options,
                                                const Streams& streams, const Clock& clock,
                                                metrics::Registry& registry);
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;
  ~Sending();

  // The stream has more.
  void notify(const std::string& stream) noexcept;
  // The last record that every sink of the stream has taken; without one, nobody waits for any.
  std::function<std::uint64_t()> taken(const std::string& stream) const;
  void turn();
  nlohmann::ordered_json told() const;

 private:
  struct Way;
  Sending();
  std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace rltune::collector
