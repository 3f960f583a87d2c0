// Entries of 256 bytes, as senders give them, to payloads.
#include <benchmark/benchmark.h>

#include <format>

#include "rltune/telemetry/log_entry.hpp"

namespace rltune::telemetry {
namespace {

std::string body_of(int entries, bool lines) {
  std::string body(lines ? "" : "[");
  for (int i = 0; i < entries; ++i) {
    if (!lines && i > 0) body += ',';
    std::string entry = std::format(
        R"({{"timestamp":"2025-08-25T10:00:{:02}.{:03}Z","service":"corerl","level":"INFO","message":"","correlation_id":"abc-{:08}","attributes":{{"agent":"climate","steps":{},"loss":0.125}}}})",
        i % 60, i % 1000, i, i);
    constexpr std::string_view kBefore = R"("message":")";
    if (entry.size() < 256) entry.insert(entry.find(kBefore) + kBefore.size(), std::string(256 - entry.size(), 'm'));
    body += entry;
    if (lines) body += '\n';
  }
  return body + (lines ? "" : "]");
}

void entries_parsed(benchmark::State& state) {
  const std::string body = body_of(static_cast<int>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) {
    const ParsedEntries parsed = parse_entries(body);
    if (!parsed.faults.empty()) state.SkipWithError(parsed.faults[0].message.c_str());
  }
  state.counters["records/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(entries_parsed)->ArgNames({"entries", "lines"})->ArgsProduct({{1, 64, 512, 4096}, {0, 1}})->MinTime(0.3);

}  // namespace
}  // namespace rltune::telemetry
