// What a control cycle pays for its messages: one hop over a Unix socket, one call at a time. And what a door to the
// outside gets through: calls to a role that another one passes on. Their CPU is that of all threads together.
#include <benchmark/benchmark.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/bus/caller.hpp"
#include "rltune/v1/control.pb.h"
#include "serving.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace rltune;
using namespace std::chrono_literals;

void report(benchmark::State& run, std::vector<double>& latency_us) {
  run.counters["p50_us"] = quantile(latency_us, 0.5);
  run.counters["p99_us"] = quantile(latency_us, 0.99);
}

void BM_call(benchmark::State& run) {
  const TemporaryFolder folder;
  const std::string endpoint = bus::call_endpoint(folder.path().string(), "io");
  const bus::Serving serving(endpoint, [](bus::Server& server) {
    server.handle<v1::Proposal, v1::DecisionEvent>(
        "io.Propose", [](const bus::Call&, const v1::Proposal& proposal, v1::DecisionEvent& answer) -> Result<> {
          for (const double value : proposal.values()) answer.add_outputs()->set_applied(value);
          return {};
        });
  });
  auto client = bus::Client::connect(endpoint);
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
  report(run, latency_us);
}
BENCHMARK(BM_call)->Iterations(5000)->UseRealTime();

// A caller, who passes on, and who echoes.
struct Chain {
  TemporaryFolder folder;
  std::string role_at = bus::call_endpoint(folder.path().string(), "agent");
  std::string front_at = bus::call_endpoint(folder.path().string(), "coredinator");
  bus::Serving role{role_at, bus::serve_echo};
  bus::Serving front{front_at, [this](bus::Server& server) {
                       server.forward([this](const bus::Call&) -> Result<std::string> { return role_at; });
                     }};
  std::string body = std::string(200, 'x');
};

void client_forwarded(benchmark::State& run) {
  Chain chain;
  auto client = bus::Client::connect(chain.front_at);
  const WallClock clock;
  std::vector<double> latency_us;
  for (auto _ : run) {
    const Duration start = clock.steady();
    if (!client->call("echo", "agent", chain.body, 1s)) run.SkipWithError("no answer");
    latency_us.push_back(to_seconds(clock.steady() - start) * 1e6);
  }
  run.SetItemsProcessed(run.iterations());
  report(run, latency_us);
}
BENCHMARK(client_forwarded)->Iterations(5'000)->MeasureProcessCPUTime()->UseRealTime();

// As many calls under way all the time as the argument says.
void caller_forwarded(benchmark::State& run) {
  Chain chain;
  auto caller = bus::Caller::connect(chain.front_at);
  const bus::CallOptions options{"echo", "agent", "0198c7a2-5e0b-7c43-a1d0-2f6f3f2f9a11", std::string(120, 't'), 10s};
  const WallClock clock;
  std::vector<double> latency_us;  // the Caller's thread writes it, before it lets the last call go
  std::counting_semaphore<> room(run.range(0));
  std::atomic<int> failed = 0;
  latency_us.reserve(static_cast<std::size_t>(run.max_iterations));
  for (auto _ : run) {
    room.acquire();
    caller->call(options, chain.body, [&, start = clock.steady()](const Result<std::string>& answer) {
      failed += answer ? 0 : 1;
      latency_us.push_back(to_seconds(clock.steady() - start) * 1e6);
      room.release();
    });
  }
  for (int i = 0; i < run.range(0); ++i) room.acquire();
  if (failed > 0) run.SkipWithError("no answer");
  run.SetItemsProcessed(run.iterations());
  report(run, latency_us);
}
BENCHMARK(caller_forwarded)->Arg(1)->Iterations(5'000)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(caller_forwarded)->Arg(32)->Arg(256)->Iterations(100'000)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
