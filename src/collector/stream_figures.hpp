// What /metrics says of the buffers, and what is logged when a disk runs short. Internal.
#pragma once

#include "rltune/metrics/registry.hpp"
#include "streams.hpp"

namespace rltune::collector {

class StreamFigures {
 public:
  // Both outlive it.
  StreamFigures(const Streams& streams, metrics::Registry& registry);
  void turn();

 private:
  struct Of {
    Of(std::string stream, const telemetry::Intake& intake, metrics::Registry& registry);
    void turn();

    std::string stream;
    const telemetry::Intake& intake;
    metrics::Gauge &acknowledged, &floor, &disk_bytes, &free_bytes, &low_disk, &waiting_bytes;
    metrics::Counter &refused, &lost, &unsent, &removed;
    bool was_low = false;
    std::uint64_t told_lost = 0;
  };
  Of logs_, metrics_;
};

}  // namespace rltune::collector
