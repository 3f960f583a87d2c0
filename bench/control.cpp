#include <sched.h>

#include "live_site.hpp"
#include "parts.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;

constexpr double kWarmUpS = 10.0;

struct Timings {
  std::vector<double> to_write_ms, proposal_us, verdict_us, write_ms;
  double per_second = 0.0;
};

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

struct Span {
  TimePoint begin, end;
};

Span let_run(double seconds) {
  const TimePoint begin = WallClock().now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return {begin, WallClock().now()};
}

// The records' time is the site's clock, which is the wall clock here.
Timings recorded(const testing::PilotSite& site, const Span& span) {
  const auto decisions = historian::read_decisions(site.path("site/data/decisions"), span.begin, span.end, 10'000'000);
  if (!decisions) give_up(decisions.error().message);
  Timings timings;
  for (const historian::Decision& decision : *decisions) {
    if (decision.origin != "policy" || !decision.outputs.front().written) continue;
    timings.to_write_ms.push_back(microseconds(decision.sample_to_write) / 1e3);
    timings.proposal_us.push_back(microseconds(decision.proposal));
    timings.verdict_us.push_back(microseconds(decision.verdict));
    timings.write_ms.push_back(microseconds(decision.write_acknowledged) / 1e3);
  }
  timings.per_second = static_cast<double>(timings.to_write_ms.size()) / to_seconds(span.end - span.begin);
  return timings;
}

// A plant has a machine of its own elsewhere: the twin must not wait for one here.
void runs_first(pid_t twin) {
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_RR);
  if (::sched_setscheduler(twin, SCHED_RR, &parameters) != 0)
    std::println(stderr, "site_bench: the twin runs at ordinary priority");
}

// How many gradient steps the learner said it made.
double learner_updates(const std::string& log) {
  const std::string word = "updates";
  double updates = 0.0;
  for (std::size_t at = log.find(word); at != std::string::npos; at = log.find(word, at + 1)) {
    const std::size_t digit = log.find_first_of("0123456789", at);
    if (digit != std::string::npos && digit - at < 12) updates = std::atof(log.c_str() + digit);
  }
  return updates;
}

}  // namespace

Rows control(double seconds) {
  testing::PilotSite site(live_options(true));
  site.start();
  runs_first(site.twin().pid());
  if (!site.decides(10)) give_up(site.everything());
  std::this_thread::sleep_for(std::chrono::duration<double>(kWarmUpS));
  const Span alone = let_run(seconds);
  Span beside;
  {
    const std::vector<std::string> spin{"/bin/sh", "-c", "while :; do :; done"};
    const ChildProcess first(spin), second(spin);
    beside = let_run(seconds / 4.0);
  }
  site.up().signal(SIGTERM);
  site.up().wait(30s);

  const Timings timings = recorded(site, alone), busy = recorded(site, beside);
  if (timings.to_write_ms.size() < 4 || busy.to_write_ms.size() < 4)
    give_up("hardly anything was decided:\n" + site.everything());
  Rows rows;
  add_quantiles(rows, "sample received to write sent", "ms", timings.to_write_ms, 2.0);
  add_quantiles(rows, "of it observation to proposal", "us", timings.proposal_us, 50.0);
  add_quantiles(rows, "of it guard verdict", "us", timings.verdict_us, 20.0);
  add_quantiles(rows, "write sent to acknowledged and read back", "ms", timings.write_ms);
  rows.push_back(single("decisions a second", "1/s", timings.per_second));
  rows.push_back(single("gradient steps of the learner beside it", "", learner_updates(site.log("learner.climate"))));
  add_quantiles(rows, "beside two busy processes of equal priority: received to sent", "ms", busy.to_write_ms);
  return rows;
}

}  // namespace rltune::bench
