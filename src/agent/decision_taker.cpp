#include "decision_taker.hpp"

#include <limits>

namespace rltune::agent {

std::optional<Transition> DecisionTaker::take(const v1::DecisionEvent& event) {
  taken_ = TimePoint(Duration(event.wall_unix_ns()));
  auto transition = builder_.add(event);
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

v1::DecisionEvent event_of(const historian::Decision& decision, const config::Site& site) {
  v1::DecisionEvent event;
  event.set_id(decision.id);
  event.set_agent(decision.agent);
  event.set_origin(decision.origin);
  event.set_mode(decision.mode);
  event.set_time_unix_ns(decision.time.time_since_epoch().count());
  event.set_wall_unix_ns(decision.wall_time.time_since_epoch().count());
  event.set_learnable(decision.learnable);
  event.mutable_observation()->Assign(decision.observation.begin(), decision.observation.end());
  event.mutable_previous_inputs()->Assign(decision.previous_inputs.begin(), decision.previous_inputs.end());
  for (const historian::DecisionOutput& output : decision.outputs) {
    v1::OutputVerdict& out = *event.add_outputs();
    out.set_tag(output.tag);
    out.set_action(output.action);
    out.set_reasons(output.reasons);
    out.set_proposed(output.proposed);
    out.set_applied(output.applied);
    out.set_written(output.written);
  }
  for (const config::Tag& tag : site.tags) {
    const auto seen = std::ranges::find(decision.seen, tag.name, &historian::SeenValue::tag);
    event.add_values(seen == decision.seen.end() ? std::numeric_limits<double>::quiet_NaN() : seen->value);
    for (std::size_t element = 1; element < tag.elements; ++element)
      event.add_values(std::numeric_limits<double>::quiet_NaN());
  }
  return event;
}

}  // namespace rltune::agent
