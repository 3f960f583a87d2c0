// A day without a network at 1,000 records a second, by a simulated clock; then the real role sends it all, in order,
// while entries go on coming.
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

// Entries at their pace, one sender; how long each request took.
std::vector<double> latencies_ms(const TelemetrySite& site, const std::function<bool()>& goes_on) {
  std::string body;
  for (std::size_t i = 0; i < kRecordsARequest; ++i) body += log_line(i, kRecordBytes);
  HttpLoad load({site.port(), site.token()}, 1);
  std::vector<double> values;
  auto due = std::chrono::steady_clock::now();
  load.run(
      [&](std::size_t) {
        due += std::chrono::microseconds(1'000'000 * kRecordsARequest / kRecordsPerSecond);
        std::this_thread::sleep_until(due);
        return goes_on() ? body : std::string();
      },
      [&](const HttpLoad::Answer& answer) {
        if (answer.status != 202) give_up(std::format("status {}; {}", answer.status, site.said()));
        values.push_back(1e3 * to_seconds(answer.took));
      },
      2h);
  return values;
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
  const Duration calm_end = kClock.steady() + 20s;
  const auto calm = latencies_ms(site, [&] { return kClock.steady() < calm_end; });

  const std::uint64_t backlog = acknowledged(site);
  receiver.take(true);
  const Duration drain_begin = kClock.steady();
  const auto draining = latencies_ms(site, [&] { return receiver.last() < backlog; });
  const double drain_s = to_seconds(kClock.steady() - drain_begin);
  const double p99 = quantile(draining, 0.99), p99_calm = quantile(calm, 0.99);
  Rows rows{
      single("records kept while offline, 256 B each", "", 1e3 * seconds),
      single("the role's start with all of them in the buffer", "s", start_s, 5.0),
      single("sent in order until none waited", "s", drain_s),
      single("records sent a second, beside 1,000 that came", "records/s", static_cast<double>(backlog) / drain_s),
      single("batches out of order, or with a gap before them", "", static_cast<double>(receiver.out_of_order()), 0.0),
      single("batches that were sent again", "", static_cast<double>(receiver.again())),
      single("an entry until it is durable, before: p99", "ms", p99_calm),
      single("the same while it drains: p99", "ms", p99),
      single("the one over the other", "", p99 / p99_calm, 2.0),
      single("resident memory of the role, the most", "MiB", resident_mib(site.pid(), "VmHWM"), 64.0)};
  site.stop();
  return rows;
}

}  // namespace rltune::bench
