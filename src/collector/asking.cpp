#include "asking.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::collector {
namespace {

// A batch is at most this many samples of the buffer's records: the rest of an answer follows in the next.
constexpr std::size_t kCommitSamplesMax = 5'000;

polling::PlantHistoryOptions plant_options(const config::Site& site, const std::filesystem::path& folder) {
  polling::PlantHistoryOptions options{.historian = site.folder / site.storage.folder,
                                       .position = folder / "plant-position",
                                       .labels = {{"site", site.name}}};
  for (const config::Tag& tag : site.tags)
    if (!tag.unit.empty()) options.units.emplace(tag.name, tag.unit);
  return options;
}

telemetry::Payloads payloads_of(std::span<const telemetry::MetricSample> samples) {
  telemetry::Payloads payloads;
  for (const auto& sample : samples) payloads.add(to_payload(sample));
  return payloads;
}

polling::Poller::Targets targets(const config::Site& site, const config::Polling& polling,
                                 const std::filesystem::path& run_folder) {
  return [others = polling::targets_of(polling, site.name), run_folder] {
    auto all = polling::read_targets(run_folder).value_or(std::vector<polling::Target>{});
    all.insert(all.end(), others.begin(), others.end());
    return all;
  };
}

}  // namespace

Asking::Asking(const config::Site& site, const config::Polling& polling, Options options, const Streams& streams,
               const Clock& clock, metrics::Registry& registry)
    : polling_(polling),
      options_(std::move(options)),
      streams_(streams),
      clock_(clock),
      kept_(registry.counter("rltune_role_polling_samples_total", "Samples of metrics by what became of them",
                             {{"outcome", "kept"}})),
      dropped_(registry.counter("rltune_role_polling_samples_total", "Samples of metrics by what became of them",
                                {{"outcome", "dropped"}})),
      faults_(registry.counter("rltune_role_polling_faults_total", "Targets that did not answer as they should")),
      plant_options_(plant_options(site, options_.folder)),
      poller_(clock, {.every = from_seconds(polling.every_s)}, targets(site, polling, options_.run_folder),
              [this](std::vector<telemetry::MetricSample> samples) { keep(std::move(samples)); }) {
  const OrdinaryThreads while_starting;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Asking::~Asking() {
  thread_.request_stop();
  poller_.stop();
}

// A disk that takes nothing now costs these samples: the next ones say how it is then.
void Asking::keep(std::vector<telemetry::MetricSample> samples) {
  for (std::span<const telemetry::MetricSample> left = samples; !left.empty();) {
    const auto some = left.first(std::min(left.size(), kCommitSamplesMax));
    const bool durable = streams_.metrics().commit(payloads_of(some)).has_value();
    (durable ? kept_ : dropped_).add(static_cast<double>(some.size()));
    left = left.subspan(some.size());
  }
}

// What the historian has, it has: a batch that finds no room comes again.
void Asking::tell_plant() {
  if (!plant_) {
    auto opened = polling::PlantHistory::open(plant_options_, streams_.metrics());
    if (!opened) {
      if (plant_trouble_ != opened.error().message)
        log::warning("the plant's samples are not told", {{"reason", opened.error().message}});
      plant_trouble_ = opened.error().message;
      return;
    }
    plant_.emplace(std::move(*opened));
  }
  for (auto batch = plant_->next(); batch && !batch->empty(); batch = plant_->next()) {
    const auto durable = streams_.metrics().commit(payloads_of(*batch));
    if (!durable || !plant_->done(durable->last)) return;
    kept_.add(static_cast<double>(batch->size()));
  }
}

void Asking::run(const std::stop_token& stop) {
  std::mutex own;
  std::condition_variable_any wakes;
  while (!stop.stop_requested()) {
    if (poller_.turn()) faults_.follow(static_cast<double>(poller_.counts().faults));
    if (polling_.plant) tell_plant();
    std::unique_lock lock(own);
    const Duration left =
        std::clamp<Duration>(poller_.due() - clock_.steady(), std::chrono::milliseconds(10), std::chrono::seconds(5));
    wakes.wait_for(lock, stop, left, [] { return false; });
  }
}

nlohmann::ordered_json Asking::told() const {
  auto list = nlohmann::ordered_json::array();
  for (const auto& target : poller_.targets())
    list.push_back({{"url", target.target.url},
                    {"labels", target.target.labels},
                    {"up", target.up},
                    {"samples", target.samples},
                    {"faults", target.faults},
                    {"fault", target.fault}});
  return list;
}

}  // namespace rltune::collector
