// A day without a network at 1,000 records a second, by a simulated clock; then the real role sends it all, in order,
// while entries go on coming. What an entry waits for beside the draining is compared with what it waits for while the
// receiver holds its answers back, in turns of two seconds: a disk changes its mind from one minute to the next.
#include "batch_receiver.hpp"
#include "http_load.hpp"
#include "manual_clock.hpp"
#include "process_use.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "telemetry_parts.hpp"
#include "telemetry_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordsPerSecond = 1'000, kRecordBytes = 256, kRecordsARequest = 10;
constexpr Duration kTurn = 2s;
const WallClock kClock;

void fill(const TelemetrySite& site, double seconds) {
  ManualClock clock(kClock.now() - from_seconds(seconds));
  auto storage = telemetry::open_folder(site.data() / "logs");
  if (!storage) give_up(storage.error().message);
  auto buffer = telemetry::Buffer::open(std::move(*storage), clock, {});
  if (!buffer) give_up(buffer.error().message);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < kRecordsPerSecond; ++i) {
    lines.push_back(log_line(i, kRecordBytes));
    lines.back().pop_back();  // a record has no end of line
  }
  const std::vector<std::string_view> payloads(lines.begin(), lines.end());
  for (int second = 0; second < static_cast<int>(seconds); ++second) {
    clock.advance(1s);
    if (auto done = buffer->commit(payloads); !done) give_up(done.error().message);
  }
}

// Entries at their pace, one sender: before each `goes_on` says whether there is another one, and where its time
// belongs.
struct Latencies {
  std::vector<double> ms;

  Row row(const std::string& what, double q) const { return single(what, "ms", quantile(ms, q)); }
};
void send_entries(const TelemetrySite& site, const std::function<Latencies*()>& goes_on) {
  std::string body;
  for (std::size_t i = 0; i < kRecordsARequest; ++i) body += log_line(i, kRecordBytes);
  const std::string request = log_request(site.token(), body);
  HttpLoad load({.port = site.port()}, 1);
  Latencies* into = nullptr;
  auto due = std::chrono::steady_clock::now();
  load.run(
      [&](std::size_t) {
        due += std::chrono::microseconds(1'000'000 * kRecordsARequest / kRecordsPerSecond);
        std::this_thread::sleep_until(due);
        into = goes_on();
        return into != nullptr ? request : std::string();
      },
      [&](const HttpLoad::Answer& answer) {
        if (answer.status != 202) give_up(std::format("status {}; {}", answer.status, site.said()));
        into->ms.push_back(1e3 * to_seconds(answer.took));
      },
      4h);
}

std::uint64_t acknowledged(const TelemetrySite& site) {
  auto reader = telemetry::open_to_read(site.data() / "logs");
  if (!reader) give_up(reader.error().message);
  return (*reader)->acknowledged();
}

}  // namespace

Rows telemetry_day(double seconds) {
  BatchReceiver receiver;
  TelemetrySite site(
      std::format("metrics: {{enabled: false}}\nsinks:\n  - {{name: cloud, kind: gateway, url: "
                  "'http://127.0.0.1:{}/v1/batches', streams: [logs]}}\n",
                  receiver.port()));
  const Duration begin = kClock.steady();
  fill(site, seconds);
  const Duration filled = kClock.steady();
  std::println(stderr, "{:.0f} records kept in {:.0f} s", 1e3 * seconds, to_seconds(filled - begin));
  site.start();
  const double start_s = to_seconds(kClock.steady() - filled);
  Latencies before, held, draining;
  const Duration before_end = kClock.steady() + 20s;
  send_entries(site, [&] { return kClock.steady() < before_end ? &before : nullptr; });

  const std::uint64_t backlog = acknowledged(site);
  receiver.take(true);
  const Duration drain_begin = kClock.steady();
  send_entries(site, [&]() -> Latencies* {
    if (receiver.last() >= backlog) return nullptr;
    const bool holds = (kClock.steady() - drain_begin) / kTurn % 2 == 1;
    receiver.hold(holds);
    return holds ? &held : &draining;
  });
  const double drain_s = to_seconds(kClock.steady() - drain_begin);
  const double share =
      static_cast<double>(draining.ms.size()) / static_cast<double>(draining.ms.size() + held.ms.size());
  Rows rows{
      single("records kept while offline, 256 B each", "", 1e3 * seconds),
      single("the role's start with all of them in the buffer", "s", start_s, 5.0),
      single("sent in order until none waited, its turns alone", "s", share * drain_s),
      single("records sent a second, beside 1,000 that came", "records/s",
             static_cast<double>(backlog) / (share * drain_s)),
      single("batches out of order, or with a gap before them", "", static_cast<double>(receiver.out_of_order()), 0.0),
      single("batches that were sent again", "", static_cast<double>(receiver.again())),
      before.row("an entry until it is durable, before: p99", 0.99),
      held.row("in the turns in which nothing was sent: the median", 0.5),
      held.row("in the turns in which nothing was sent: p99", 0.99),
      draining.row("in the turns in which it drained: the median", 0.5),
      draining.row("in the turns in which it drained: p99", 0.99),
      single("the one p99 over the other", "", quantile(draining.ms, 0.99) / quantile(held.ms, 0.99), 2.0),
      single("resident memory of the role, the most", "MiB", resident_mib(site.pid(), "VmHWM"), 64.0)};
  site.stop();
  return rows;
}

}  // namespace rltune::bench
