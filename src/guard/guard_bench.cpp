// One verdict over twenty outputs and ten interlocks: the budget is 20 us.
#include <benchmark/benchmark.h>

#include <format>

#include "rltune/base/random.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::guard {
namespace {

config::Site site_with(std::size_t outputs, std::size_t interlocks) {
  config::Site site;
  site.guard.mode = "automatic";
  site.agents = {{.id = "a", .policy = "p", .period_s = 1.0}};
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::string name = std::format("out{}", i);
    site.tags.push_back({.name = name, .role = config::TagRole::setpoint});
    site.tags.push_back({.name = std::format("mode{}", i), .role = config::TagRole::mode});
    site.tags.push_back({.name = std::format("in{}", i), .operating = config::Range{-100, 100}});
    site.agents[0].outputs.push_back(name);
    site.guard.outputs.push_back({.tag = name,
                                  .limits = {0, 100},
                                  .rate_per_s = 1,
                                  .step_max = 5,
                                  .on_above = 10,
                                  .minimum_on_s = 5,
                                  .minimum_off_s = 5,
                                  .starts_per_hour = 60,
                                  .mode_tag = std::format("mode{}", i),
                                  .mode_remote = {1}});
  }
  // Two boilers that each have half of what is asked of them.
  for (std::size_t i = 0; i + 1 < outputs; ++i) {
    if (i < 2)
      site.budgets.push_back({.name = std::format("boiler{}", i), .limit = 12.5 * static_cast<double>(outputs)});
    config::Budget& budget = site.budgets[i % 2];
    budget.outputs.push_back(std::format("out{}", i));
    budget.priorities[budget.outputs.back()] = 0.1 + 0.1 * static_cast<double>(i);
  }
  for (std::size_t i = 0; i < interlocks; ++i)
    site.guard.interlocks.push_back({.name = std::format("lock{}", i),
                                     .require = std::format("in{} < 90 and not(in{} - in{} > 150)", i, i, i + 1)});
  return site;
}

void verdict(benchmark::State& state) {
  const auto outputs = static_cast<std::size_t>(state.range(0));
  const config::Site site = site_with(outputs, outputs / 2);
  auto guard = Guard::create(site);
  std::vector<Sample> tags(site.tags.size());
  std::vector<OutputProposal> proposals(outputs, {50.0, true});
  std::vector<OutputVerdict> verdicts(outputs);
  Random random(1);
  TimePoint now{std::chrono::seconds(1'700'000'000)};
  for (auto _ : state) {
    now += std::chrono::seconds(1);
    for (std::size_t i = 0; i < tags.size(); ++i)
      tags[i] = {.value = i % 3 == 1 ? 1.0 : 50.0, .source_time = now, .quality = Quality::good};
    for (OutputProposal& proposal : proposals) proposal.value += random.uniform(-5, 5);
    guard->decide({.now = now, .tags = tags, .proposals = proposals, .agent_alive = true, .link_up = true}, verdicts);
    benchmark::DoNotOptimize(verdicts.data());
    for (std::size_t i = 0; i < outputs; ++i) guard->applied(i, verdicts[i].value, now);
  }
}
BENCHMARK(verdict)->Arg(3)->Arg(20)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rltune::guard
