#include "live_site.hpp"
#include "parts.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr double kWarmUpS = 10.0;

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

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
  if (!site.decides(10)) give_up(site.everything());
  std::this_thread::sleep_for(std::chrono::duration<double>(kWarmUpS));
  const TimePoint begin = WallClock().now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const TimePoint end = WallClock().now();
  site.up().signal(SIGTERM);
  site.up().wait(30s);

  // Kept by the site's clock, which is the wall clock here.
  const auto decisions = historian::read_decisions(site.path("site/data/decisions"), begin, end, 1'000'000);
  if (!decisions) give_up(decisions.error().message);
  std::vector<double> to_write, proposal, verdict, write;
  for (const historian::Decision& decision : *decisions) {
    if (decision.origin != "policy" || !decision.outputs.front().written) continue;
    to_write.push_back(microseconds(decision.sample_to_write) / 1e3);
    proposal.push_back(microseconds(decision.proposal));
    verdict.push_back(microseconds(decision.verdict));
    write.push_back(microseconds(decision.write_acknowledged) / 1e3);
  }
  if (to_write.size() < 4) give_up("hardly anything was decided:\n" + site.everything());

  Rows rows;
  add_quantiles(rows, "sample received to write sent", "ms", to_write, 2.0);
  add_quantiles(rows, "observation to proposal", "us", proposal, 50.0);
  add_quantiles(rows, "guard verdict", "us", verdict, 20.0);
  add_quantiles(rows, "write sent to acknowledged and read back", "ms", write);
  rows.push_back(single("decisions a second", "1/s", static_cast<double>(to_write.size()) / to_seconds(end - begin)));
  rows.push_back(single("gradient steps of the learner beside it", "", learner_updates(site.log("learner.climate"))));
  return rows;
}

}  // namespace rltune::bench
