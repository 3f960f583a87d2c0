#include "rltune/polling/poller.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/http/client.hpp"

namespace rltune::polling {
namespace {

using telemetry::MetricSample;

std::int64_t unix_ms(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Duration timeout_of(const PollerOptions& options) {
  if (options.timeout > Duration::zero()) return std::min(options.timeout, options.every);
  return std::min<Duration>(options.every * 4 / 5, std::chrono::seconds(10));
}

// The target's labels stand above those of the sample, which are not lost for it.
void label(MetricSample& sample, const std::map<std::string, std::string>& labels) {
  for (const auto& [name, value] : labels) {
    if (auto own = sample.labels.extract(name)) {
      std::string moved = "exported_" + name;
      while (sample.labels.contains(moved) || labels.contains(moved)) moved = "exported_" + moved;
      own.key() = moved;
      sample.labels.insert(std::move(own));
    }
    sample.labels[name] = value;
  }
}

}  // namespace

struct Poller::State {
  struct Asked {
    TargetState shown;
    http::Client client;
  };

  State(const Clock& the_clock, PollerOptions the_options, Targets the_targets, Take the_take)
      : clock(the_clock), options(the_options), targets(std::move(the_targets)), take(std::move(the_take)) {}

  http::Client make_client() const {
    return http::Client({.connect_timeout = timeout_of(options),
                         .timeout = timeout_of(options),
                         .answer_bytes_max = options.limits.bytes_max});
  }

  // Those of this round, each with what is known of it; who is no target any more is forgotten.
  std::vector<Asked*> choose() {
    std::vector<Target> wanted = targets();
    const std::lock_guard lock(mutex);
    if (wanted.size() > options.targets_max) {
      counts.left_out += wanted.size() - options.targets_max;
      log::warning("targets are left out: there are too many", {{"first", wanted[options.targets_max].url}});
      wanted.resize(options.targets_max);
    }
    std::erase_if(
        known, [&](const auto& entry) { return std::ranges::find(wanted, entry.first, &Target::url) == wanted.end(); });
    std::vector<Asked*> asked;
    for (Target& target : wanted) {
      const auto [entry, is_new] = known.try_emplace(target.url);
      if (is_new)
        entry->second = std::make_unique<Asked>(TargetState{}, make_client());
      else if (std::ranges::find(asked, entry->second.get()) != asked.end())
        continue;
      entry->second->shown.target = std::move(target);
      asked.push_back(entry->second.get());
    }
    return asked;
  }

  Result<std::vector<MetricSample>> ask(Asked& asked, TimePoint now) {
    const auto answer = asked.client.send({.method = "GET",
                                           .url = asked.shown.target.url,
                                           .headers = {{"Accept", "text/plain;version=0.0.4"}},
                                           .body = ""});
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return fail(Errc::mismatch, "it answers with status " + std::to_string(answer->status));
    return parse_exposition(answer->body, unix_ms(now), options.limits);
  }

  void poll(Asked& asked) {
    const TimePoint now = clock.now();
    const Duration began = clock.steady();
    auto samples = ask(asked, now);
    if (stopping) return;
    const Duration took = clock.steady() - began;
    const std::lock_guard lock(mutex);
    note(asked.shown, samples, now, took);
    std::vector<MetricSample> batch = samples ? std::move(*samples) : std::vector<MetricSample>();
    for (MetricSample& sample : batch) label(sample, asked.shown.target.labels);
    const auto add = [&](const char* name, double value) {
      batch.push_back({name, asked.shown.target.labels, unix_ms(now), value});
    };
    add("up", asked.shown.up ? 1.0 : 0.0);
    add("scrape_duration_seconds", to_seconds(took));
    add("scrape_samples_scraped", static_cast<double>(asked.shown.samples));
    std::ranges::stable_sort(batch, {}, &MetricSample::unix_ms);
    take(std::move(batch));
  }

  void note(TargetState& shown, const Result<std::vector<MetricSample>>& samples, TimePoint now, Duration took) {
    ++counts.polls, ++shown.polls;
    shown.asked = now, shown.took = took, shown.samples = samples ? samples->size() : 0;
    counts.samples += shown.samples;
    const std::string fault =
        samples ? "" : std::string(to_string(samples.error().code)) + ": " + samples.error().message;
    if (!samples) ++counts.faults, ++shown.faults;
    if (!samples && (shown.up || shown.polls == 1))
      log::warning("a target gives no metrics", {{"target", shown.target.url}, {"reason", fault}});
    if (samples && !shown.up && shown.polls > 1)
      log::info("a target gives metrics again", {{"target", shown.target.url}});
    shown.up = samples.has_value();
    if (!fault.empty()) shown.fault = fault;
  }

  const Clock& clock;
  const PollerOptions options;
  const Targets targets;
  const Take take;
  std::atomic<bool> stopping = false;
  std::atomic<Duration> due{Duration::min()};
  mutable std::mutex mutex;                             // of what follows, and of take()
  std::map<std::string, std::unique_ptr<Asked>> known;  // by URL
  PollCounts counts;
};

Poller::Poller(const Clock& clock, PollerOptions options, Targets targets, Take take)
    : state_(std::make_unique<State>(clock, options, std::move(targets), std::move(take))) {}

Poller::~Poller() = default;

bool Poller::turn() {
  State& state = *state_;
  const Duration now = state.clock.steady();
  if (state.stopping || now < state.due.load()) return false;
  const std::vector<State::Asked*> asked = state.choose();
  {
    const OrdinaryThreads ordinary;
    std::vector<std::jthread> threads;
    for (State::Asked* one : asked) threads.emplace_back([&state, one] { state.poll(*one); });
  }
  const std::lock_guard lock(state.mutex);
  ++state.counts.rounds;
  // Rounds keep their beat; one that took longer than it should costs those it ran into.
  Duration due = state.due.load() == Duration::min() ? now : state.due.load();
  const auto passed = (state.clock.steady() - due) / state.options.every;
  state.counts.missed += static_cast<std::uint64_t>(passed);
  state.due = due + (passed + 1) * state.options.every;
  return true;
}

Duration Poller::due() const noexcept { return state_->due.load(); }

void Poller::stop() noexcept {
  state_->stopping = true;
  const std::lock_guard lock(state_->mutex);
  for (const auto& [url, asked] : state_->known) asked->client.cancel();
}

PollCounts Poller::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

std::vector<TargetState> Poller::targets() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<TargetState> states;
  for (const auto& [url, asked] : state_->known) states.push_back(asked->shown);
  return states;
}

}  // namespace rltune::polling
