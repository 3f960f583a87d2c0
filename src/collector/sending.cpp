#include "sending.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "rltune/base/log.hpp"
#include "rltune/forward/delivery.hpp"

namespace rltune::collector {

struct Sending::Way {
  Way(std::string of_sink, std::string of_stream, metrics::Registry& registry)
      : sink(std::move(of_sink)),
        stream(std::move(of_stream)),
        labels{{"sink", sink}, {"stream", stream}},
        delivered(registry.gauge("rltune_role_sink_delivered", "Number of the last record that was taken", labels)),
        waiting(registry.gauge("rltune_role_sink_waiting_records", "Records that are still to be sent", labels)),
        waiting_bytes(registry.gauge("rltune_role_sink_waiting_bytes", "About as many bytes", labels)),
        troubled(registry.gauge("rltune_role_sink_troubled", "1 while it takes nothing", labels)),
        last_success(registry.gauge("rltune_role_sink_last_success_timestamp_seconds",
                                    "When it last took something, seconds since 1970", labels)),
        sent(registry.counter("rltune_role_sink_sent_total", "Records that it took", labels)),
        refused(registry.counter("rltune_role_sink_refused_total", "Records that it will never take: dead letters",
                                 labels)),
        retried(registry.counter("rltune_role_sink_retried_total", "Sendings of a batch after its first", labels)),
        dropped(registry.counter("rltune_role_sink_dropped_total", "Dead letters that found no room", labels)) {}

  void turn() {
    const forward::Figures now = forwarder->figures();
    delivered.set(static_cast<double>(now.delivered));
    waiting.set(static_cast<double>(now.waiting_records));
    waiting_bytes.set(static_cast<double>(now.waiting_bytes));
    troubled.set(now.trouble.empty() ? 0.0 : 1.0);
    if (now.last_success) last_success.set(std::chrono::duration<double>(now.last_success->time_since_epoch()).count());
    sent.follow(static_cast<double>(now.sent_records));
    refused.follow(static_cast<double>(now.refused));
    retried.follow(static_cast<double>(now.retried));
    dropped.follow(static_cast<double>(now.dropped));
  }

  const std::string sink, stream;
  const metrics::Labels labels;
  metrics::Gauge &delivered, &waiting, &waiting_bytes, &troubled, &last_success;
  metrics::Counter &sent, &refused, &retried, &dropped;
  std::unique_ptr<forward::Forwarder> forwarder;
};

namespace {

nlohmann::ordered_json to_json(const forward::Figures& figures) {
  nlohmann::ordered_json out{{"delivered", figures.delivered},
                             {"waiting_records", figures.waiting_records},
                             {"waiting_bytes", figures.waiting_bytes},
                             {"sent", figures.sent_records},
                             {"batches", figures.sent_batches},
                             {"retried", figures.retried},
                             {"refused", figures.refused},
                             {"lost", figures.lost},
                             {"removed_unsent", figures.removed},
                             {"dead_letters_dropped", figures.dropped},
                             {"trouble", figures.trouble}};
  out["last_success"] = nullptr;
  if (figures.last_success) out["last_success"] = format_rfc3339(*figures.last_success);
  return out;
}

}  // namespace

Sending::Sending() = default;
Sending::~Sending() = default;

Result<std::unique_ptr<Sending>> Sending::start(const config::Telemetry& telemetry, const Options& options,
                                                const Streams& streams, const Clock& clock,
                                                metrics::Registry& registry) {
  std::unique_ptr<Sending> sending(new Sending);
  for (const config::Sink& sink : config::sinks_of(telemetry))
    for (const std::string& stream : forward::streams_of(sink)) {
      auto way = std::make_unique<Way>(sink.name, stream, registry);
      auto delivery = forward::make_delivery(sink, stream, options.site_folder, clock);
      if (!delivery) return std::unexpected(delivery.error());
      forward::ForwarderOptions forwarding = forward::options_of(sink, stream);
      forwarding.site = options.site;
      forwarding.buffer_id = streams.source();
      forwarding.folder = options.folder / sink.name / stream;
      auto started = forward::Forwarder::start(streams.of(stream), std::move(*delivery), std::move(forwarding), clock);
      if (!started) return std::unexpected(started.error());
      way->forwarder = std::move(*started);
      sending->ways_.push_back(std::move(way));
    }
  return sending;
}

void Sending::notify(const std::string& stream) noexcept {
  for (const auto& way : ways_)
    if (way->stream == stream) way->forwarder->notify();
}

std::function<std::uint64_t()> Sending::taken(const std::string& stream) const {
  if (std::ranges::none_of(ways_, [&](const auto& way) { return way->stream == stream; })) return {};
  return [this, stream] {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const auto& way : ways_)
      if (way->stream == stream) least = std::min(least, way->forwarder->taken());
    return least;
  };
}

void Sending::turn() {
  for (const auto& way : ways_) way->turn();
}

nlohmann::ordered_json Sending::told() const {
  auto list = nlohmann::ordered_json::array();
  for (const auto& way : ways_) {
    nlohmann::ordered_json one{{"sink", way->sink}, {"stream", way->stream}};
    one.update(to_json(way->forwarder->figures()));
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace rltune::collector
