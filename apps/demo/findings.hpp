// Everything that the demo found, and what it makes of it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "record.hpp"
#include "rltune/policy/artifact.hpp"
#include "season_run.hpp"
#include "story.hpp"

namespace rltune::demo {

// A season step by step, as `policy evaluate --trace` writes it: column name -> values.
using TraceTable = std::map<std::string, std::vector<double>>;
Result<TraceTable> read_trace(const std::filesystem::path& csv);

// How training went, from its metrics.jsonl; NaN where a line says nothing of it.
struct LearningCurve {
  std::vector<double> steps, exploring, evaluated;
  std::map<std::string, std::vector<double>> terms;  // of the evaluations
};
LearningCurve read_curve(const std::filesystem::path& metrics);

// How far a training run in `folder` is.
TrainingView look_at_training(const std::filesystem::path& folder);

struct ClosedLoop {
  SeasonResult season;
  SeasonRecord record;
  nlohmann::json replay;  // `audit replay --json`
};

struct Findings {
  std::filesystem::path folder;
  std::string weather, start;  // of the season
  policy::Manifest manifest;
  std::string policy_sha256;
  nlohmann::json training;  // what `policy train --json` said; null where the policy was there already
  LearningCurve curve;
  std::vector<nlohmann::json> standings;  // `policy evaluate --json` of one season each: the policy first
  nlohmann::json paired;                  // policy against the tuned rule over many seasons
  TraceTable rule_trace;
  std::optional<ClosedLoop> loop;                             // nothing where automatic mode refused the policy
  std::vector<std::pair<std::string, std::string>> commands;  // what was run, for repeating it
  double seconds = 0.0;
  std::vector<Check> checks;

  bool passed() const;
};

// Every claim with what was measured; a claim that could not be tried has failed.
std::vector<Check> judge(const Findings& findings);

// The closing table, for a terminal.
std::string closing_text(const Findings& findings);
nlohmann::ordered_json to_json(const Findings& findings);

// The report page. `created`: when, as text.
std::string report_page(const Findings& findings, const std::string& created);

}  // namespace rltune::demo
