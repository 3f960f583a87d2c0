// What coredinator adds to a call to an agent, by the same call made to the agent itself, and how many it passes on.
#include "live_site.hpp"
#include "parts.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kInFlight = 32;
constexpr double kSeconds = 5.0;
constexpr double kCallsPerSecond = 30'000.0;

bus::Client client_of(const testing::PilotSite& site, const std::string& role) {
  auto client = bus::Client::connect(bus::call_endpoint(site.run_folder(), role));
  if (!client) give_up(client.error().message);
  return std::move(*client);
}

double call_us(bus::Client& client, const WallClock& clock) {
  const Duration start = clock.steady();
  const auto answer = client.call("agent.Health", "climate", {}, 2s, "a-correlation-id");
  if (!answer) give_up(answer.error().message);
  return to_seconds(clock.steady() - start) * 1e6;
}

// In turn, so that both see the same machine.
void add_latency(testing::PilotSite& site, double calls, Rows& rows) {
  bus::Client direct = client_of(site, "agent.climate"), dispatched = client_of(site, "coredinator");
  const WallClock clock;
  for (int i = 0; i < 100; ++i) call_us(direct, clock), call_us(dispatched, clock);
  std::vector<double> alone, through;
  for (int i = 0; i < static_cast<int>(calls); ++i) {
    alone.push_back(call_us(direct, clock));
    through.push_back(call_us(dispatched, clock));
  }
  add_quantiles(rows, "a call to the agent itself", "us", alone);
  add_quantiles(rows, "the same call through coredinator", "us", through);
  rows.push_back(
      single("coredinator adds, difference of the p50", "us", quantile(through, 0.5) - quantile(alone, 0.5), 150.0));
  rows.push_back(
      single("coredinator adds, difference of the p99", "us", quantile(through, 0.99) - quantile(alone, 0.99), 500.0));
}

// One thread keeps a call in flight on each of its clients.
void add_throughput(testing::PilotSite& site, Rows& rows) {
  std::vector<bus::Client> clients;
  for (int i = 0; i < kInFlight; ++i) clients.push_back(client_of(site, "coredinator"));
  const WallClock clock;
  for (bus::Client& client : clients) call_us(client, clock);
  const auto begin = [](bus::Client& client) {
    if (!client.begin("agent.Health", "climate", {}, 2s, "a-correlation-id")) give_up("coredinator is not there");
  };
  for (bus::Client& client : clients) begin(client);
  std::vector<double> rates;
  for (int repetition = 0; repetition < 5; ++repetition) {
    std::uint64_t answered = 0;
    const Duration start = clock.steady();
    while (clock.steady() - start < from_seconds(kSeconds / 5.0))
      for (bus::Client& client : clients) {
        const auto answer = client.finish();
        if (!answer) continue;
        if (!*answer) give_up(answer->error().message);
        begin(client);
        ++answered;
      }
    rates.push_back(static_cast<double>(answered) / to_seconds(clock.steady() - start));
  }
  Row row = repeated("calls passed on with 32 in flight", "calls/s", rates, kCallsPerSecond);
  row.least = true;
  rows.push_back(row);
}

}  // namespace

Rows dispatch(double calls) {
  testing::PilotSite site(live_options(false));
  site.start();
  if (!site.decides(10)) give_up(site.everything());
  Rows rows;
  add_latency(site, calls, rows);
  add_throughput(site, rows);
  return rows;
}

}  // namespace rltune::bench
