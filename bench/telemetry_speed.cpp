// How many entries a second the role makes durable, senders and role on the same machine.
#include "http_load.hpp"
#include "process_use.hpp"
#include "rltune/base/clock.hpp"
#include "telemetry_parts.hpp"
#include "telemetry_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordBytes = 256, kBatchRecords = 512;
constexpr double kBatchedBound = 300'000.0, kSingleBound = 12'000.0;
constexpr int kRepetitions = 5;

std::string batch_of(std::size_t records) {
  std::string body;
  for (std::size_t i = 0; i < records; ++i) body += log_line(i, kRecordBytes);
  return body;
}

struct Measured {
  double requests_per_s = 0.0;
  std::vector<double> latencies_ms;
};

Measured measure(TelemetrySite& site, std::size_t senders, const std::string& body, Duration span) {
  HttpLoad load({.port = site.port()}, senders);
  const WallClock clock;
  const Duration begin = clock.steady();
  Measured measured;
  const std::string request = log_request(site.token(), body);
  load.run([&](std::size_t) { return clock.steady() - begin < span ? request : std::string(); },
           [&](const HttpLoad::Answer& answer) {
             if (answer.status != 202) give_up(std::format("status {}; {}", answer.status, site.said()));
             measured.latencies_ms.push_back(1e3 * to_seconds(answer.took));
           },
           span + 10s);
  measured.requests_per_s = static_cast<double>(measured.latencies_ms.size()) / to_seconds(clock.steady() - begin);
  return measured;
}

void add_batched(TelemetrySite& site, Duration span, Rows& rows) {
  const std::string body = batch_of(kBatchRecords);
  measure(site, 4, body, 500ms);
  std::vector<double> rates, cpu;
  for (int i = 0; i < kRepetitions; ++i) {
    const double before = cpu_seconds(site.pid());
    const auto measured = measure(site, 4, body, span / kRepetitions);
    rates.push_back(measured.requests_per_s * static_cast<double>(kBatchRecords));
    const double records = static_cast<double>(measured.latencies_ms.size() * kBatchRecords);
    cpu.push_back(1e6 * (cpu_seconds(site.pid()) - before) / records);
  }
  Row row = repeated("records of 256 B a second, durable, 512 a request, 4 senders", "records/s", rates, kBatchedBound);
  row.least = true;
  rows.push_back(row);
  rows.push_back(repeated("of it processor time of the role a record", "us", cpu));
}

void add_single(TelemetrySite& site, Duration span, Rows& rows) {
  const std::string body = batch_of(1);
  measure(site, 64, body, 500ms);
  std::vector<double> rates;
  for (int i = 0; i < kRepetitions; ++i) rates.push_back(measure(site, 64, body, span / kRepetitions).requests_per_s);
  Row row = repeated("records a second, durable, one a request, 64 senders", "records/s", rates, kSingleBound);
  row.least = true;
  rows.push_back(row);
  add_quantiles(rows, "one sender, one record: until it is durable", "ms",
                measure(site, 1, body, span / 2).latencies_ms);
}

}  // namespace

Rows telemetry_speed(double seconds) {
  TelemetrySite site("metrics: {enabled: false}\n");
  site.start();
  Rows rows;
  const Duration span = from_seconds(seconds);
  add_batched(site, span, rows);
  add_single(site, span, rows);
  rows.push_back(single("resident memory of the role, the most", "MiB", resident_mib(site.pid(), "VmHWM"), 64.0));
  site.stop();
  return rows;
}

}  // namespace rltune::bench
