#include "stream_figures.hpp"

#include <format>

#include "rltune/base/log.hpp"

namespace rltune::collector {

StreamFigures::Of::Of(std::string name, const telemetry::Intake& of, metrics::Registry& registry)
    : stream(std::move(name)),
      intake(of),
      acknowledged(registry.gauge("rltune_role_telemetry_acknowledged", "Number of the last record that is durable",
                                  {{"stream", stream}})),
      floor(registry.gauge("rltune_role_telemetry_floor", "Number of the first record that retention has not let go",
                           {{"stream", stream}})),
      disk_bytes(registry.gauge("rltune_role_telemetry_disk_bytes", "What the buffer takes", {{"stream", stream}})),
      free_bytes(registry.gauge("rltune_role_telemetry_free_bytes", "Free on its disk", {{"stream", stream}})),
      low_disk(
          registry.gauge("rltune_role_telemetry_low_disk", "1 while its disk is nearly full", {{"stream", stream}})),
      waiting_bytes(
          registry.gauge("rltune_role_telemetry_waiting_bytes", "What waits for the disk", {{"stream", stream}})),
      refused(registry.counter("rltune_role_telemetry_refused_total", "Records that found no room, or no disk",
                               {{"stream", stream}})),
      lost(registry.counter("rltune_role_telemetry_lost_total", "Durable records that were found to be gone",
                            {{"stream", stream}})),
      unsent(registry.counter("rltune_role_telemetry_unsent_total",
                              "Records that retention removed before every sink had taken them", {{"stream", stream}})),
      removed(registry.counter("rltune_role_telemetry_removed_total", "Records that retention removed",
                               {{"stream", stream}})) {}

void StreamFigures::Of::turn() {
  const auto status = intake.status();
  acknowledged.set(static_cast<double>(status.acknowledged));
  floor.set(static_cast<double>(status.floor));
  disk_bytes.set(static_cast<double>(status.disk_bytes));
  free_bytes.set(static_cast<double>(status.free_bytes));
  low_disk.set(status.low_disk ? 1.0 : 0.0);
  waiting_bytes.set(static_cast<double>(status.waiting_bytes));
  refused.follow(static_cast<double>(status.refused));
  lost.follow(static_cast<double>(status.lost));
  unsent.follow(static_cast<double>(status.unsent));
  removed.follow(static_cast<double>(status.removed));
  if (status.low_disk != was_low) {
    if (status.low_disk)
      log::critical(
          "the disk of the telemetry buffer is nearly full: senders will be told to wait",
          {{"stream", stream}, {"free_mb", std::format("{:.0f}", static_cast<double>(status.free_bytes) / 1e6)}});
    else
      log::info("the disk of the telemetry buffer has room again", {{"stream", stream}});
    was_low = status.low_disk;
  }
  if (status.lost > told_lost) {
    log::error("records are gone from the disk",
               {{"stream", stream}, {"records", std::to_string(status.lost - told_lost)}});
    told_lost = status.lost;
  }
}

StreamFigures::StreamFigures(const Streams& streams, metrics::Registry& registry)
    : logs_("logs", streams.logs(), registry), metrics_("metrics", streams.metrics(), registry) {}

void StreamFigures::turn() {
  logs_.turn();
  metrics_.turn();
}

}  // namespace rltune::collector
