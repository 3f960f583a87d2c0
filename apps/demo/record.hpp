// What a season left behind, read back from the site's own stores: samples from the historian, decisions from the log.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quantiles.hpp"
#include "rltune/base/error.hpp"
#include "rltune/historian/decision_log.hpp"
#include "season_run.hpp"

namespace rltune::demo {

struct GuardEvent {
  std::size_t step = 0;
  std::string tag, action, reason;
};

struct SeasonRecord {
  std::vector<double> days;                            // one a plant step, from 0 to the season's end
  std::map<std::string, std::vector<double>> values;   // by tag; NaN where nothing was stored
  std::map<std::string, std::vector<double>> applied;  // by set-point, at the decisions' steps
  std::map<std::string, std::size_t> verdicts;         // outputs by the guard's action
  std::map<std::string, std::size_t> reasons;          // outputs by reason
  std::map<std::string, std::size_t> origins;          // decisions by who made them
  std::size_t decisions = 0;
  std::size_t steps_decided = 0;                // plant steps of the season with a decision of the policy on record
  std::size_t written = 0, outside_limits = 0;  // values written to the plant; of them, what no rule allows
  Quantiles proposal_us, verdict_us, sample_to_write_us, acknowledged_us;
  std::vector<double> sample_to_write_by_step_us;
  std::vector<GuardEvent> guard_events;     // verdicts other than accepted
  std::vector<double> wall_gap_ms_by_step;  // since the decision before, on the wall clock
  double agent_gap_s = 0.0;                 // from the agent's death to the next decision of a policy
};

Result<SeasonRecord> read_record(const SeasonResult& season);

}  // namespace rltune::demo
