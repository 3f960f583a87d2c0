#include "evaluation_json.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

ordered_json named(const env::Space& space, const std::vector<double>& values) {
  ordered_json object = ordered_json::object();
  for (std::size_t i = 0; i < space.size() && i < values.size(); ++i) object[space[i].name] = values[i];
  return object;
}

ordered_json violations(const std::vector<evaluation::Violation>& limits) {
  ordered_json list = ordered_json::array();
  for (const auto& limit : limits)
    list.push_back({{"name", limit.name},
                    {"unit", limit.unit},
                    {"low", limit.low},
                    {"high", limit.high},
                    {"steps", limit.steps},
                    {"unit_hours", limit.unit_hours},
                    {"worst", limit.worst}});
  return list;
}

}  // namespace

ordered_json to_json(const Interval& interval) { return ordered_json::array({interval.low, interval.high}); }

ordered_json to_json(const evaluation::Episode& episode, const env::PlantSpec& plant) {
  ordered_json inputs = ordered_json::array();
  for (const auto& use : episode.inputs)
    inputs.push_back({{"name", use.name},
                      {"unit", use.unit},
                      {"mean", use.mean},
                      {"minimum", use.minimum},
                      {"maximum", use.maximum},
                      {"travel", use.travel},
                      {"steps_low", use.steps_low},
                      {"steps_high", use.steps_high}});
  return {{"season", episode.label},
          {"seed", episode.seed},
          {"steps", episode.steps},
          {"return", episode.total},
          {"terms", named(plant.reward_terms, episode.terms)},
          {"final_state", named(plant.states, episode.final_states)},
          {"final_measurements", named(plant.measurements, episode.final_measurements)},
          {"violations", violations(episode.violations)},
          {"inputs", std::move(inputs)},
          {"holds", episode.holds},
          {"faults", episode.faults},
          {"failed", episode.failed}};
}

ordered_json to_json(const evaluation::Summary& summary, const env::PlantSpec& plant) {
  return {{"return", summary.interquartile_mean},
          {"return_interval", to_json(summary.interval)},
          {"return_mean", summary.mean},
          {"return_minimum", summary.minimum},
          {"return_maximum", summary.maximum},
          {"return_unit", plant.reward_terms.empty() ? "1" : plant.reward_terms.front().unit},
          {"terms", named(plant.reward_terms, summary.terms)},
          {"violations", violations(summary.violations)},
          {"holds", summary.holds},
          {"faults", summary.faults},
          {"failures", summary.failures},
          {"decision_us", {{"p50", summary.decision_us_p50}, {"p99", summary.decision_us_p99}}}};
}

ordered_json to_json(const evaluation::PairedGain& gain) {
  return {{"mean", gain.mean},
          {"mean_interval", to_json(gain.mean_interval)},
          {"interquartile_mean", gain.interquartile_mean},
          {"interquartile_mean_interval", to_json(gain.interquartile_mean_interval)},
          {"wins", gain.wins},
          {"seasons", gain.episodes},
          {"band_hours_outside", gain.unit_hours},
          {"band_hours_outside_against", gain.unit_hours_against}};
}

ordered_json to_json(const evaluation::GuardTally& tally) {
  ordered_json outputs = ordered_json::array();
  for (const evaluation::OutputTally& output : tally.outputs)
    outputs.push_back({{"name", output.name},
                       {"accepted", output.accepted},
                       {"clamped", output.clamped},
                       {"held", output.held},
                       {"reasons", output.reasons}});
  return {{"decisions", tally.decisions}, {"intervened", tally.intervened}, {"outputs", std::move(outputs)}};
}

}  // namespace rltune::lab
