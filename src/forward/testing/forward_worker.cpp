// A process that takes entries into a real buffer and forwards them at once, for a test to kill at any moment.
//
//   forward_worker FOLDER URL RECORDS
//
// FOLDER has the certificates; the buffer and the progress are below it. Takes entries until there are RECORDS of them,
// and ends once all are forwarded. Prints "goes" once it takes entries.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <format>

#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/forward/delivery.hpp"
#include "rltune/telemetry/intake.hpp"

namespace {

using namespace rltune;
using namespace std::chrono_literals;

config::Sink sink_of(const std::filesystem::path& folder, const std::string& url) {
  return {.name = "cloud",
          .kind = "gateway",
          .url = url,
          .ca_file = folder / "ca.pem",
          .certificate_file = folder / "client.pem",
          .key_file = folder / "client.key",
          .batch_max_kb = 4,
          .interval_s = 0.02};
}

// Entries tell their number, so that a record that changed would be seen.
bool take(telemetry::Intake& intake, std::uint64_t records) {
  while (intake.acknowledged() < records) {
    telemetry::Payloads payloads;
    for (std::uint64_t i = 1; i <= 10; ++i)
      payloads.add(
          std::format(R"({{"timestamp":"2025-08-25T10:00:00Z","service":"io","level":"INFO","message":"entry {}"}})",
                      intake.acknowledged() + i));
    if (!intake.commit(std::move(payloads))) return false;
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  log::start("forward_worker", log::Level::critical);
  const std::filesystem::path folder = arguments[1];
  const std::uint64_t records = std::stoull(arguments[3]);
  const WallClock clock;
  auto storage = telemetry::open_folder(folder / "logs");
  if (!storage) return 3;
  auto buffer =
      telemetry::Buffer::open(std::move(*storage), clock, {.segment_bytes = 64UZ << 10U, .free_bytes_min = 0});
  if (!buffer) return 4;
  telemetry::Intake intake(std::move(*buffer));
  const config::Sink sink = sink_of(folder, arguments[2]);
  auto delivery = forward::make_delivery(sink, "logs", folder, clock, 100ms);
  forward::ForwarderOptions options = forward::options_of(sink, "logs");
  options.site = "north";
  options.buffer_id = "0198e0f2-1111-7abc-8def-0123456789ab";
  options.folder = folder / "progress";
  options.retry_first = 1ms;
  options.retry_max = 10ms;
  auto forwarder = forward::Forwarder::start(intake, std::move(*delivery), options, clock);
  if (!forwarder) return 5;
  std::puts("goes");
  std::fflush(stdout);
  if (!take(intake, records)) return 6;
  while ((*forwarder)->taken() < intake.acknowledged()) ::usleep(1000);
  std::printf("%llu\n", static_cast<unsigned long long>(intake.acknowledged()));
  return 0;
}
