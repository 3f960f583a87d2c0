#include "rltune/experience/transition_builder.hpp"

#include <algorithm>
#include <cmath>
#include <format>

namespace rltune::experience {
namespace {

// Decisions further apart than this many periods do not follow each other: some were missed.
constexpr double kGapMax = 1.6;
// An action this far outside of what the policy can do is rounding; what lies further away was not its doing.
constexpr double kActionSlack = 0.01;

}  // namespace

Result<TransitionBuilder> TransitionBuilder::create(const config::Site& site, const config::Agent& agent,
                                                    const policy::Manifest& manifest) {
  TransitionBuilder made;
  made.agent_ = agent.id;
  made.period_ = from_seconds(agent.period_s);
  made.layout_ = manifest.action;
  made.observations_ = manifest.observation.size();
  if (const auto history = env::history_of(manifest.observation); history && !history->empty())
    made.history_.emplace(made.observations_ / (history->frames + history->traces.size()), *history);
  for (const config::Tag& tag : site.tags) made.tags_.push_back(tag.name);
  made.named_.resize(site.tags.size());
  for (const env::Variable& input : manifest.inputs) {
    const auto bound = agent.bindings.find(input.name);
    const std::string name = bound == agent.bindings.end() ? input.name : bound->second;
    const auto tag = site.find_tag(name);
    if (!tag)
      return fail(Errc::not_found,
                  std::format("agent {}: no tag '{}' for the policy's {}", agent.id, name, input.name));
    made.input_of_tag_[name] = made.input_tags_.size();
    made.input_tags_.push_back(*tag);
  }
  const auto compile = [&](const std::string& name, const std::string& text, double sign) -> Result<> {
    auto expression = config::Expression::compile(text, made.tags_);
    if (!expression)
      return fail(expression.error().code,
                  std::format("agent {}: learning.{}: {}", agent.id, name, expression.error().message));
    for (const std::size_t tag : expression->used()) made.named_[tag] = true;
    for (const std::size_t tag : expression->used_previous()) made.named_[tag] = true;
    made.terms_.push_back({name, std::move(*expression), sign});
    return {};
  };
  auto done = compile("reward", agent.learning.reward, 1.0);
  for (const auto& [name, text] : agent.learning.costs)
    if (done) done = compile(name, text, -1.0);
  if (!done) return std::unexpected(done.error());
  return made;
}

std::vector<std::size_t> TransitionBuilder::rewarded() const {
  std::vector<std::size_t> tags;
  for (std::size_t tag = 0; tag < named_.size(); ++tag)
    if (named_[tag]) tags.push_back(tag);
  return tags;
}

bool TransitionBuilder::ours(const historian::Decision& decision) const {
  return decision.agent == agent_ && decision.origin == "policy";
}

TransitionBuilder::Moment TransitionBuilder::moment_of(const historian::Decision& decision) const {
  Moment moment;
  moment.time = decision.time;
  moment.observation = decision.observation;
  moment.in_force = decision.previous_inputs;
  moment.applied = moment.in_force;
  moment.learnable =
      decision.learnable && moment.in_force.size() == layout_.size() && moment.observation.size() == observations_;
  for (const historian::DecisionOutput& output : decision.outputs)
    if (const auto input = input_of_tag_.find(output.tag);
        input != input_of_tag_.end() && input->second < moment.applied.size())
      moment.applied[input->second] = output.applied;
  moment.values.assign(tags_.size(), std::nan(""));
  for (const historian::SeenValue& seen : decision.seen)
    if (const auto tag = std::ranges::find(tags_, seen.tag); tag != tags_.end()) {
      const auto index = static_cast<std::size_t>(tag - tags_.begin());
      if (named_[index]) moment.values[index] = seen.value;
    }
  for (std::size_t i = 0; i < input_tags_.size() && i < moment.in_force.size(); ++i)
    moment.values[input_tags_[i]] = moment.in_force[i];
  return moment;
}

// Of what was applied. Not a number where no action of the policy comes to that.
std::vector<float> TransitionBuilder::action_of(const Moment& moment) const {
  std::vector<float> action;
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    const double wanted = env::action_for(layout_[i], moment.applied[i], moment.in_force[i]);
    const bool possible = std::abs(wanted) <= 1.0 + kActionSlack;
    action.push_back(possible ? static_cast<float>(std::clamp(wanted, -1.0, 1.0)) : std::nanf(""));
  }
  return action;
}

bool TransitionBuilder::follows(const Moment& next) const {
  const Duration gap = next.time - previous_->time;
  return gap > Duration::zero() && to_seconds(gap) <= kGapMax * to_seconds(period_);
}

// An agent that was restarted between the two begins its memory of the plant anew: its row does not follow from the one
// before, however well the times do.
bool TransitionBuilder::remembered(const Moment& next) const {
  if (!history_) return true;
  std::vector<float> row = previous_->observation;
  history_->push(std::span(next.observation).first(history_->base_width()), row);
  return row == next.observation;
}

std::optional<Transition> TransitionBuilder::transition_to(const Moment& next) {
  Transition made;
  for (Term& term : terms_) {
    const double value = term.expression.evaluate(next.values, previous_->values);
    made.parts[term.name] = value;
    made.reward += term.sign * value;
  }
  made.observation = previous_->observation;
  made.action = action_of(*previous_);
  made.next_observation = next.observation;
  made.from = previous_->time;
  made.time = next.time;
  // A tag that was bad at either end has no value, and neither has the reward.
  const bool known =
      std::isfinite(made.reward) && std::ranges::all_of(made.action, [](float value) { return std::isfinite(value); });
  return known ? std::optional(std::move(made)) : std::nullopt;
}

std::optional<Transition> TransitionBuilder::add(const historian::Decision& decision) {
  if (!ours(decision)) {
    // Whoever else moved one of our outputs made this period not ours to learn from.
    for (const historian::DecisionOutput& output : decision.outputs)
      if (output.written && input_of_tag_.contains(output.tag)) previous_.reset();
    return std::nullopt;
  }
  Moment next = moment_of(decision);
  std::optional<Transition> made;
  if (previous_ && previous_->learnable && next.observation.size() == observations_ && follows(next) &&
      remembered(next))
    made = transition_to(next);
  previous_ = std::move(next);
  return made;
}

void TransitionBuilder::archive(Archive& archive) {
  bool waits = previous_.has_value();
  archive.value(waits);
  if (!waits) return previous_.reset();
  Moment moment;
  if (previous_) moment = *previous_;
  auto time_ns = moment.time.time_since_epoch().count();
  archive.value(time_ns);
  moment.time = TimePoint(Duration(time_ns));
  archive.resized(moment.observation);
  archive.resized(moment.in_force);
  archive.resized(moment.applied);
  archive.resized(moment.values);
  archive.value(moment.learnable);
  if (moment.observation.size() != observations_ || moment.in_force.size() != layout_.size() ||
      moment.applied.size() != layout_.size() || moment.values.size() != tags_.size())
    previous_.reset();
  else
    previous_ = std::move(moment);
}

}  // namespace rltune::experience
