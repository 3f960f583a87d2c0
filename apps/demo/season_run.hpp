// The closed loop as a site runs it: a twin behind encrypted OPC UA, `rltune up`, and two accidents on the way. It is
// watched as people watch it, through the site's gateway.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "front_door.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "story.hpp"

namespace rltune::demo {

struct SeasonOptions {
  std::filesystem::path folder;      // everything of this season goes below it
  std::filesystem::path policy;      // artifact
  std::filesystem::path rule;        // YAML of the tuned rule: the fallback
  std::vector<std::string> weather;  // options of `rltune twin serve` and `policy evaluate`: the season
  std::string start;                 // first day
  int days = 40;
  std::size_t forecast_leads = 0;
  double kill_twin_at = 0.35, kill_agent_at = 0.65;  // shares of the season
};

// What the demo holds itself to.
inline constexpr double kTwinRecovery_s = 2.0, kAgentRecovery_s = 1.0;

// A process that was killed, and how it came back.
struct Incident {
  std::string what;  // "twin", "agent"
  std::size_t step = 0;
  double day = 0.0;
  TimePoint killed{}, back{};  // wall clock; back: the process runs again
  double recovery_s = 0.0;     // twin: from there until values flowed; agent: from the kill until its next decision
  bool recovered = false;
};

struct SeasonResult {
  std::filesystem::path site;  // site.yaml
  std::filesystem::path data;  // historian and decisions
  TimePoint start{};
  double period_s = 0.0;
  std::size_t steps = 0, steps_done = 0;
  double total = 0.0;  // as the plant counts it
  std::vector<Incident> incidents;
  SeasonView last;
  double seconds = 0.0;
  bool stopped_in_order = false;  // both programs ended with 0 when they were asked to, and no role outlived them
  std::vector<std::string> twin_command, up_command;
  std::string trust_command;  // by which the plant let the site in
  DoorUse door;
};

// Errors: what could not be started or went wrong, with the log file that says more.
Result<SeasonResult> run_season(const SeasonOptions& options, Narrator& narrator);

}  // namespace rltune::demo
