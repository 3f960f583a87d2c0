// What the stores take in, to the disk: the figures depend on the disk under the temporary folder.
#include <benchmark/benchmark.h>

#include <format>

#include "rltune/base/id.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "scratch_folder.hpp"

namespace rltune::historian {
namespace {

constexpr TimePoint kStart{std::chrono::seconds(1'700'000'000)};

// Samples appended and committed: a flush a second of a site's life, 50 tags at 10 Hz.
void samples_committed(benchmark::State& state) {
  const ScratchFolder folder;
  std::vector<std::string> tags;
  for (int i = 0; i < 50; ++i) tags.push_back(std::format("tag{}", i));
  auto historian = Historian::open({.folder = folder.path()}, tags);
  if (!historian) return state.SkipWithError(historian.error().message.c_str());
  std::vector<Sample> second(500);
  TimePoint now = kStart;
  for (auto _ : state) {
    for (std::size_t i = 0; i < second.size(); ++i)
      second[i] = {.tag = static_cast<std::uint32_t>(i % 50),
                   .value = static_cast<double>(i),
                   .source_time = now + std::chrono::milliseconds(100 * (i / 50)),
                   .received_time = now,
                   .quality = Quality::good};
    now += std::chrono::seconds(1);
    historian->append(second);
    if (!historian->flush()) return state.SkipWithError("flush failed");
  }
  state.counters["samples/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * 500), benchmark::Counter::kIsRate);
  state.counters["commits/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(samples_committed)->UseRealTime()->MinTime(2.0);

// What io's loop pays to hand samples over.
void samples_appended(benchmark::State& state) {
  const ScratchFolder folder;
  const std::vector<std::string> tags{"tag"};
  auto historian = Historian::open({.folder = folder.path(), .queue_samples_max = 100'000}, tags);
  if (!historian) return state.SkipWithError(historian.error().message.c_str());
  std::vector<Sample> batch(30, {.source_time = kStart, .received_time = kStart, .quality = Quality::good});
  for (auto _ : state) {
    for (Sample& sample : batch) sample.source_time += std::chrono::milliseconds(1);
    historian->append(batch);
  }
}
BENCHMARK(samples_appended)->Iterations(3000)->Unit(benchmark::kMicrosecond)->UseRealTime();

Decision make_decision(TimePoint now) {
  Decision decision;
  decision.id = make_id(now);
  decision.agent = "climate";
  decision.policy_sha256 = std::string(64, 'a');
  decision.origin = "policy";
  decision.mode = 3;
  decision.time = decision.wall_time = now;
  decision.observation.assign(60, 0.5F);
  decision.previous_inputs.assign(3, 1.0);
  decision.network_output.assign(3, 0.1F);
  decision.outputs.assign(3, {"heating", 10.0, true, 10.0, 0, 0, true, true});
  return decision;
}

void decisions_committed(benchmark::State& state) {
  const ScratchFolder folder;
  auto log = DecisionLog::open(folder.path());
  if (!log) return state.SkipWithError(log.error().message.c_str());
  TimePoint now = kStart;
  constexpr int kGroup = 100;  // decisions between two flushes
  for (auto _ : state) {
    for (int i = 0; i < kGroup; ++i) log->append(make_decision(now += std::chrono::milliseconds(100)));
    if (!log->flush()) return state.SkipWithError("flush failed");
  }
  state.counters["decisions/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kGroup), benchmark::Counter::kIsRate);
}
BENCHMARK(decisions_committed)->UseRealTime()->MinTime(2.0);

// What io's loop pays for a record, after the write.
void decision_appended(benchmark::State& state) {
  const ScratchFolder folder;
  auto log = DecisionLog::open(folder.path());
  if (!log) return state.SkipWithError(log.error().message.c_str());
  TimePoint now = kStart;
  for (auto _ : state) log->append(make_decision(now += std::chrono::milliseconds(100)));
}
BENCHMARK(decision_appended)->Iterations(5000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace rltune::historian
