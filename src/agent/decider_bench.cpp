// From judged samples to a proposal, as the agent does it at every decision: the budget is 50 us.
#include <benchmark/benchmark.h>

#include "rltune/agent/decider.hpp"
#include "sample_artifact.hpp"
#include "site_of_sample.hpp"

namespace rltune::agent {
namespace {

void decide(benchmark::State& state) {
  const config::Site site = experience::site_of_sample();
  auto decider = Decider::create(site, site.agents[0], policy::sample_artifact());
  if (!decider) return state.SkipWithError(decider.error().message.c_str());
  TimePoint now{std::chrono::seconds(1'700'000'000)};
  std::vector<Sample> samples = experience::good_samples(now);
  for (auto _ : state) {
    now += std::chrono::seconds(1);
    for (Sample& sample : samples) sample.source_time = now;
    decider->add(samples);
    benchmark::DoNotOptimize(decider->decide(now).values.data());
  }
}
BENCHMARK(decide)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rltune::agent
