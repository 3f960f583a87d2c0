#include "decision_taker.hpp"

namespace rltune::agent {

std::optional<experience::Transition> DecisionTaker::take(const historian::Decision& decision) {
  taken_ = decision.wall_time;
  auto transition = builder_.add(decision);
  if (transition) learner_.add(*transition);
  return transition;
}

void DecisionTaker::archive(Archive& archive) {
  learner_.archive(archive);
  builder_.archive(archive);
  auto taken_ns = taken_.time_since_epoch().count();
  archive.value(taken_ns);
  taken_ = TimePoint(Duration(taken_ns));
}

historian::Decision decision_of(const v1::DecisionEvent& event, const config::Site& site) {
  historian::Decision decision;
  decision.id = event.id();
  decision.agent = event.agent();
  decision.origin = event.origin();
  decision.mode = static_cast<std::uint8_t>(event.mode());
  decision.time = TimePoint(Duration(event.time_unix_ns()));
  decision.wall_time = TimePoint(Duration(event.wall_unix_ns()));
  decision.learnable = event.learnable();
  decision.observation.assign(event.observation().begin(), event.observation().end());
  decision.previous_inputs.assign(event.previous_inputs().begin(), event.previous_inputs().end());
  for (const v1::OutputVerdict& output : event.outputs())
    decision.outputs.push_back({.tag = output.tag(), .applied = output.applied(), .written = output.written()});
  int element = 0;
  for (const config::Tag& tag : site.tags) {
    if (element < event.values_size()) decision.seen.push_back({tag.name, event.values(element)});
    element += static_cast<int>(tag.elements);
  }
  return decision;
}

}  // namespace rltune::agent
