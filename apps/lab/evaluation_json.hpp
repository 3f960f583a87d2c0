// Evaluations as JSON: what --json prints and reports read.
#pragma once

#include <nlohmann/json.hpp>

#include "rltune/evaluation/guarded.hpp"
#include "rltune/evaluation/summary.hpp"

namespace rltune::lab {

nlohmann::ordered_json to_json(const Interval& interval);
nlohmann::ordered_json to_json(const evaluation::Episode& episode, const env::PlantSpec& plant);
// The figures over several episodes; "return" is their interquartile mean.
nlohmann::ordered_json to_json(const evaluation::Summary& summary, const env::PlantSpec& plant);
nlohmann::ordered_json to_json(const evaluation::PairedGain& gain);
nlohmann::ordered_json to_json(const evaluation::GuardTally& tally);

}  // namespace rltune::lab
