// Asks the roles for their figures, and the historian for the plant's, and keeps the answers. Internal.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/config/site.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/polling/plant_history.hpp"
#include "rltune/polling/poller.hpp"
#include "streams.hpp"

namespace rltune::collector {

class Asking {
 public:
  struct Options {
    std::filesystem::path run_folder, folder;  // folder: of the position in the historian
  };
  // `streams`, `clock` and `registry` outlive it.
  Asking(const config::Site& site, const config::Polling& polling, Options options, const Streams& streams,
         const Clock& clock, metrics::Registry& registry);
  ~Asking();
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  nlohmann::ordered_json told() const;

 private:
  void run(const std::stop_token& stop);
  void keep(std::vector<telemetry::MetricSample> samples);
  void tell_plant();

  const config::Polling polling_;
  const Options options_;
  const Streams& streams_;
  const Clock& clock_;
  metrics::Counter &kept_, &dropped_, &faults_;
  polling::PlantHistoryOptions plant_options_;
  std::optional<polling::PlantHistory> plant_;
  std::string plant_trouble_;
  polling::Poller poller_;
  std::jthread thread_;
};

}  // namespace rltune::collector
