// Judging every tag of a site: part of each decision.
#include <benchmark/benchmark.h>

#include <format>

#include "rltune/pipeline/pipeline.hpp"

namespace rltune::pipeline {
namespace {

void add_and_judge(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  config::Site site;
  for (std::size_t i = 0; i < count; ++i)
    site.tags.push_back({.name = std::format("tag{}", i),
                         .operating = config::Range{-100.0, 100.0},
                         .frozen_after_s = 60.0,
                         .step_limit = 50.0});
  site.agents = {{.id = "a", .period_s = 1.0}};
  auto pipeline = Pipeline::create(site);
  if (!pipeline) return state.SkipWithError(pipeline.error().message.c_str());
  TimePoint now{std::chrono::seconds(1'700'000'000)};
  std::vector<Sample> samples(count);
  std::vector<TagValue> values(pipeline->elements());
  for (auto _ : state) {
    now += std::chrono::seconds(1);
    for (std::size_t i = 0; i < count; ++i)
      samples[i] = {.tag = static_cast<std::uint32_t>(i),
                    .value = static_cast<double>(
                        (now.time_since_epoch().count() / 1'000'000'000 + 7 * static_cast<long>(i)) % 20),
                    .source_time = now,
                    .quality = Quality::good};
    pipeline->add(samples);
    pipeline->judge(now, values);
    benchmark::DoNotOptimize(values.data());
  }
}
BENCHMARK(add_and_judge)->Arg(30)->Arg(300)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rltune::pipeline
