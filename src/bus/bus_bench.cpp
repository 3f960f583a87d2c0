// One hop over a Unix socket, one call at a time: what a control cycle pays for its messages.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/control.pb.h"

namespace {

using namespace rltune;
using namespace std::chrono_literals;

void BM_call(benchmark::State& run) {
  const std::string endpoint = bus::call_endpoint("/tmp/rltune-bench-" + std::to_string(::getpid()), "io");
  bus::Context context;
  std::atomic<bool> stop{false};
  auto server = bus::Server::bind(context, endpoint);
  server->handle<v1::Proposal, v1::DecisionEvent>(
      "io.Propose", [](const bus::Call&, const v1::Proposal& proposal, v1::DecisionEvent& answer) -> Result<> {
        for (const double value : proposal.values()) answer.add_outputs()->set_applied(value);
        return {};
      });
  std::thread thread([&] {
    while (!stop) server->serve(100ms);
  });
  auto client = bus::Client::connect(context, endpoint);
  v1::Proposal proposal;
  proposal.set_agent("climate");
  for (int i = 0; i < 60; ++i) proposal.add_observation(0.5F);
  for (int i = 0; i < 3; ++i) proposal.add_values(i);
  const WallClock clock;
  std::vector<double> latency_us;
  for (auto _ : run) {
    const Duration start = clock.steady();
    if (!client->call<v1::DecisionEvent>("io.Propose", "io", proposal, 1s)) run.SkipWithError("no answer");
    latency_us.push_back(to_seconds(clock.steady() - start) * 1e6);
  }
  run.counters["p50_us"] = quantile(latency_us, 0.5);
  run.counters["p99_us"] = quantile(latency_us, 0.99);
  stop = true;
  thread.join();
  std::filesystem::remove_all("/tmp/rltune-bench-" + std::to_string(::getpid()));
}
BENCHMARK(BM_call)->Iterations(5000)->UseRealTime();

}  // namespace
