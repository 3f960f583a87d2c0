#include <cmath>
#include <nlohmann/json.hpp>
#include <print>

#include "audit.hpp"
#include "rltune/historian/decision_words.hpp"

namespace rltune::audit {
namespace {

using nlohmann::ordered_json;

// JSON has no NaN and no infinity: they stand as text, because an audit must show them.
ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

template <typename Number>
ordered_json numbers(const std::vector<Number>& values) {
  ordered_json list = ordered_json::array();
  for (const Number value : values) list.push_back(number(static_cast<double>(value)));
  return list;
}

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }

ordered_json output_json(const historian::DecisionOutput& output) {
  ordered_json object{{"tag", output.tag},
                      {"proposed", output.present ? number(output.proposed) : ordered_json(nullptr)},
                      {"action", historian::action_word(output.action)},
                      {"reasons", historian::reason_words(output.reasons)},
                      {"applied", number(output.applied)},
                      {"written", output.written},
                      {"verified", output.verified}};
  if (output.explored != 0.0) object["explored"] = output.explored;
  return object;
}

}  // namespace

ordered_json to_json(const historian::Decision& decision, bool whole) {
  ordered_json object{{"id", decision.id},
                      {"time", format_rfc3339(decision.time)},
                      {"wall_time", format_rfc3339(decision.wall_time)},
                      {"agent", decision.agent},
                      {"mode", historian::mode_word(decision.mode)},
                      {"origin", decision.origin},
                      {"user", decision.user},
                      {"reason", decision.reason},
                      {"policy_sha256", decision.policy_sha256},
                      {"correlation_id", decision.correlation_id}};
  object["outputs"] = ordered_json::array();
  for (const historian::DecisionOutput& output : decision.outputs) object["outputs"].push_back(output_json(output));
  object["timings_us"] = {{"sample_to_proposal", microseconds(decision.sample_to_proposal)},
                          {"proposal", microseconds(decision.proposal)},
                          {"verdict", microseconds(decision.verdict)},
                          {"sample_to_write", microseconds(decision.sample_to_write)},
                          {"write_acknowledged", microseconds(decision.write_acknowledged)}};
  if (!whole) return object;
  object["observation"] = numbers(decision.observation);
  object["previous_inputs"] = numbers(decision.previous_inputs);
  object["network_output"] = numbers(decision.network_output);
  if (!decision.recurrent_state.empty()) object["recurrent_state"] = numbers(decision.recurrent_state);
  return object;
}

void print_text(const historian::Decision& decision) {
  std::string who = decision.user.empty() ? decision.origin : decision.user;
  if (!decision.agent.empty()) who += " for " + decision.agent;
  std::println("{}  {}  {}, by {}{}", format_rfc3339(decision.time), decision.id, historian::mode_word(decision.mode),
               who, decision.reason.empty() ? "" : ": " + decision.reason);
  for (const historian::DecisionOutput& output : decision.outputs) {
    std::string reasons;
    for (const std::string& reason : historian::reason_words(output.reasons))
      reasons += (reasons.empty() ? " (" : ", ") + reason;
    if (!reasons.empty()) reasons += ")";
    const std::string proposed = output.present ? std::format("{:.6g}", output.proposed) : "-";
    std::println("    {:<24} proposed {:>12}  {}{}  applied {:.6g}{}", output.tag, proposed,
                 historian::action_word(output.action), reasons, output.applied,
                 !output.written   ? ", not written"
                 : output.verified ? ""
                                   : ", not verified");
  }
}

}  // namespace rltune::audit
