// Records made durable, by the size of a commit: the figures depend on the disk under the temporary folder.
#include <benchmark/benchmark.h>

#include <semaphore>
#include <thread>

#include "rltune/telemetry/intake.hpp"
#include "temporary_folder.hpp"

namespace rltune::telemetry {
namespace {

const WallClock kClock;

// Records of 256 bytes.
void records_committed(benchmark::State& state) {
  const TemporaryFolder folder;
  auto storage = open_folder(folder.path());
  if (!storage) return state.SkipWithError(storage.error().message.c_str());
  auto buffer = Buffer::open(std::move(*storage), kClock, {});
  if (!buffer) return state.SkipWithError(buffer.error().message.c_str());
  const std::string text(256, 'x');
  const std::vector<std::string_view> batch(static_cast<std::size_t>(state.range(0)), text);
  for (auto _ : state)
    if (!buffer->commit(batch)) return state.SkipWithError("not committed");
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
  state.counters["commits/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(records_committed)->Arg(1)->Arg(16)->Arg(64)->Arg(512)->Arg(4096)->UseRealTime()->MinTime(1.0);

// One record a call, from that many senders at once.
void one_each_from_many_senders(benchmark::State& state) {
  const TemporaryFolder folder;
  auto storage = open_folder(folder.path());
  if (!storage) return state.SkipWithError(storage.error().message.c_str());
  auto buffer = Buffer::open(std::move(*storage), kClock, {});
  if (!buffer) return state.SkipWithError(buffer.error().message.c_str());
  Intake intake(std::move(*buffer));
  const std::string text(256, 'x');
  const std::int64_t senders = state.range(0);
  for (auto _ : state) {
    std::vector<std::jthread> threads;
    for (std::int64_t sender = 0; sender < senders; ++sender)
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i)
          if (!intake.commit({text})) std::abort();
      });
  }
  const auto counts = intake.status();
  state.counters["records/s"] = benchmark::Counter(static_cast<double>(counts.records), benchmark::Counter::kIsRate);
  state.counters["commits/s"] = benchmark::Counter(static_cast<double>(counts.commits), benchmark::Counter::kIsRate);
}
BENCHMARK(one_each_from_many_senders)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

// Batches of that many, two of them on their way at a time.
void batches_through_the_intake(benchmark::State& state) {
  const TemporaryFolder folder;
  auto storage = open_folder(folder.path());
  if (!storage) return state.SkipWithError(storage.error().message.c_str());
  auto buffer = Buffer::open(std::move(*storage), kClock, {.free_bytes_min = 0});
  if (!buffer) return state.SkipWithError(buffer.error().message.c_str());
  Intake intake(std::move(*buffer));
  Payloads batch;
  for (std::int64_t i = 0; i < state.range(0); ++i) batch.add(std::string(256, 'x'));
  std::counting_semaphore<> free(2);
  for (auto _ : state) {
    free.acquire();
    if (!intake.submit(batch, [&](const auto& done) {
          if (!done) std::abort();
          free.release();
        }))
      std::abort();
  }
  free.acquire();
  free.acquire();
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(batches_through_the_intake)
    ->Arg(64)
    ->Arg(512)
    ->Arg(4096)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->MinTime(1.0);

// As who forwards them reads them.
void records_read(benchmark::State& state) {
  const TemporaryFolder folder;
  auto storage = open_folder(folder.path());
  if (!storage) return state.SkipWithError(storage.error().message.c_str());
  auto buffer = Buffer::open(std::move(*storage), kClock, {});
  if (!buffer) return state.SkipWithError(buffer.error().message.c_str());
  const std::string text(256, 'x');
  const std::vector<std::string_view> batch(4096, text);
  for (int i = 0; i < 50; ++i)
    if (!buffer->commit(batch)) return state.SkipWithError("not committed");
  std::uint64_t records = 0;
  for (auto _ : state)
    for (std::uint64_t from = 1; from <= buffer->acknowledged();) {
      const auto read = buffer->records().read(from, std::size_t{1} << 20U);
      if (!read) return state.SkipWithError("not read");
      records += read->records.size();
      from = read->next;
    }
  state.counters["records/s"] = benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
}
BENCHMARK(records_read)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rltune::telemetry
