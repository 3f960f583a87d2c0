// rltune audit heads FOLDER --to DIR [--every SECONDS]
#include <unistd.h>

#include <memory>
#include <print>
#include <thread>

#include "audit.hpp"
#include "rltune/audit/head_export.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"

namespace rltune::audit {
namespace {

struct HeadsOptions {
  std::string folder, to;
  double every_s = 0.0;
};

// Until SIGTERM. A folder that cannot be reached is told once and tried again, after waits that grow to ten times the
// usual one.
void keep_exporting(const HeadsOptions& options) {
  const WallClock clock;
  const Duration every = from_seconds(options.every_s);
  Breaker breaker(
      {.failures_max = 1, .wait_first = every, .wait_max = 10 * every, .seed = static_cast<std::uint64_t>(::getpid())});
  catch_interrupts();
  std::string trouble;
  while (!interrupted()) {
    const auto done = export_heads(audit_folder(options.folder), options.to);
    const std::string now = done ? "" : done.error().message;
    if (!now.empty() && now != trouble)
      log::critical("heads of the audit log do not leave the host", {{"reason", now}});
    if (now.empty() && !trouble.empty()) log::info("heads of the audit log leave the host again");
    trouble = now;
    if (done)
      breaker.succeeded();
    else
      breaker.failed(clock.steady());
    const Duration next = done ? clock.steady() + every : breaker.try_at();
    while (!interrupted() && clock.steady() < next) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

void heads_command(const HeadsOptions& options) {
  if (options.every_s > 0.0) return keep_exporting(options);
  if (auto done = export_heads(audit_folder(options.folder), options.to); !done) stop(done.error());
}

}  // namespace

void add_heads_command(CLI::App& app) {
  const auto options = std::make_shared<HeadsOptions>();
  CLI::App& command = *app.add_subcommand("heads", "Copy signed heads to where this host's intruder does not reach");
  command.add_option("folder", options->folder, "The site's data folder, or its audit folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command.add_option("--to", options->to, "The folder, better another host's")->type_name("DIR")->required();
  command.add_option("--every", options->every_s, "Go on, so often; best as a service of its own")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86'400.0));
  command.footer(
      "Adds what is new and overwrites nothing; exit status 1 when what is there is not how this log began.\n\n"
      "Example:\n  rltune audit heads site/data --to /mnt/safe/heads --every 10");
  command.callback([options] { heads_command(*options); });
}

}  // namespace rltune::audit
