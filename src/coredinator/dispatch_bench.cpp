// What coredinator adds to a call, beside the same call without it, and how many it passes on with 32 in flight.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/supervision.pb.h"
#include "routes.hpp"

namespace {

using namespace rltune;
using namespace std::chrono_literals;

// An agent that answers, and coredinator's routes before it, each with a thread of its own as their processes have.
class Site {
 public:
  Site() {
    auto agent = bus::Server::bind(context, bus::call_endpoint(folder, "agent.climate"));
    agent->handle<v1::HealthRequest, v1::HealthAnswer>(
        "agent.Health", [](const bus::Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
          answer.set_healthy(true);
          return {};
        });
    auto front = bus::Server::bind(context, bus::call_endpoint(folder, "coredinator"));
    coredinator::Version version;
    version.version = coredinator::kFirstVersion;
    version.state = coredinator::VersionState::active;
    front->forward([routes = coredinator::Routes({{.id = "climate", .versions = {version}}}, {}, folder)](
                       const bus::Call& call) { return routes.find(call.target, call.correlation_id); });
    const auto serve = [this](bus::Server server) {
      return std::thread([this, server = std::move(server)]() mutable {
        while (!stop) server.serve(100ms);
      });
    };
    threads[0] = serve(std::move(*agent));
    threads[1] = serve(std::move(*front));
  }
  ~Site() {
    stop = true;
    for (std::thread& thread : threads) thread.join();
    std::filesystem::remove_all(folder);
  }
  bus::Client client(const std::string& role) {
    return *bus::Client::connect(context, bus::call_endpoint(folder, role));
  }

  const std::string folder = "/tmp/rltune-dispatch-bench-" + std::to_string(::getpid());
  bus::Context context;
  std::atomic<bool> stop{false};
  std::thread threads[2];
};

double call_us(bus::Client& client, const WallClock& clock) {
  const Duration start = clock.steady();
  if (!client.call("agent.Health", "climate", {}, 1s, "a-correlation-id")) return 1e9;
  return to_seconds(clock.steady() - start) * 1e6;
}

// In turn, so that both see the same machine.
void BM_dispatch(benchmark::State& run) {
  Site site;
  bus::Client direct = site.client("agent.climate"), dispatched = site.client("coredinator");
  const WallClock clock;
  for (int i = 0; i < 100; ++i) call_us(direct, clock), call_us(dispatched, clock);
  std::vector<double> alone, through;
  for (auto _ : run) {
    alone.push_back(call_us(direct, clock));
    through.push_back(call_us(dispatched, clock));
  }
  for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p99", 0.99}}) {
    run.counters[std::string("direct_us_") + name] = quantile(alone, q);
    run.counters[std::string("through_us_") + name] = quantile(through, q);
    run.counters[std::string("added_us_") + name] = quantile(through, q) - quantile(alone, q);
  }
}
BENCHMARK(BM_dispatch)->Iterations(10'000)->UseRealTime();

// 32 clients of one thread, each with a call in flight at all times.
void BM_dispatch_32_in_flight(benchmark::State& run) {
  Site site;
  std::vector<bus::Client> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(site.client("coredinator"));
  const WallClock clock;
  for (bus::Client& client : clients) call_us(client, clock);
  const auto begin = [](bus::Client& client) {
    return client.begin("agent.Health", "climate", {}, 1s, "a-correlation-id").has_value();
  };
  std::uint64_t answered = 0;
  for (bus::Client& client : clients)
    if (!begin(client)) run.SkipWithError("no connection");
  for (auto _ : run) {
    for (std::uint64_t target = answered + 1000; answered < target;)
      for (bus::Client& client : clients) {
        const auto answer = client.finish();
        if (!answer) continue;
        if (!*answer || !begin(client)) return run.SkipWithError("a call failed");
        ++answered;
      }
  }
  run.counters["calls_per_s"] = benchmark::Counter(static_cast<double>(answered), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_dispatch_32_in_flight)->Iterations(100)->UseRealTime();

}  // namespace
