#include "rltune/evaluation/guarded.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <utility>

#include "rltune/base/check.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::evaluation {
namespace {

constexpr TimePoint kStart{std::chrono::seconds(1'700'000'000)};  // any time: rules know differences only
constexpr const char* kAgent = "evaluated";

// "limit_high, rate" as single words.
std::vector<std::string> words_of(std::uint32_t reasons) {
  std::vector<std::string> words;
  for (std::uint32_t bit = 1; bit != 0 && bit <= reasons; bit <<= 1)
    if ((reasons & bit) != 0) words.push_back(guard::describe(bit));
  return words;
}

std::size_t place(const env::Space& space, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(space, name, &env::Variable::name) - space.begin());
}

// The plant's name of each tag, where an agent binds it to another.
std::map<std::string, std::string> bound_names(const config::Site& site, const env::PlantSpec& plant) {
  std::map<std::string, std::string> names;
  for (const config::Agent& agent : site.agents)
    if (agent.plant == plant.name)
      for (const auto& [name, tag] : agent.bindings) names[tag] = name;
  return names;
}

// Interlocks fail closed: one on a tag without a value would hold the plant at its safe values for ever.
Result<> check_interlocks(const config::Site& site, const std::vector<bool>& known) {
  std::vector<std::string> names;
  for (const config::Tag& tag : site.tags) names.push_back(tag.elements == 1 ? tag.name : std::string());
  for (std::size_t i = 0; i < site.guard.interlocks.size(); ++i) {
    const auto condition = config::Expression::compile(site.guard.interlocks[i].require, names);
    if (!condition) continue;  // Guard::create says what is wrong
    for (const std::size_t tag : condition->used())
      if (!known[tag])
        return fail(Errc::invalid_argument,
                    std::format("guard.interlocks[{}].require: the plant does not show '{}'", i, site.tags[tag].name));
  }
  return {};
}

// Outputs that the plant has, decided by one agent at the plant's period.
config::Agent owner(const config::Site& site, const env::PlantSpec& plant) {
  config::Agent agent{.id = kAgent, .plant = plant.name, .period_s = plant.sample_period_s};
  for (const config::OutputRule& rule : site.guard.outputs) agent.outputs.push_back(rule.tag);
  return agent;
}

}  // namespace

class GuardedController final : public controllers::Controller {
 public:
  GuardedController(std::unique_ptr<controllers::Controller> inside, std::shared_ptr<GuardedPlant::Shared> shared,
                    guard::Guard guard)
      : inside_(std::move(inside)),
        shared_(std::move(shared)),
        guard_(std::move(guard)),
        tags_(shared_->site.tags.size()),
        proposals_(guard_.outputs()),
        verdicts_(guard_.outputs()),
        tally_(shared_->plant.inputs.size()) {
    for (std::size_t tag = 0; tag < tags_.size(); ++tag) tags_[tag].tag = static_cast<std::uint32_t>(tag);
  }
  GuardedController(const GuardedController&) = delete;
  GuardedController& operator=(const GuardedController&) = delete;

  ~GuardedController() override {
    const std::scoped_lock lock(shared_->mutex);
    shared_->tally.decisions += decisions_;
    shared_->tally.intervened += intervened_;
    for (std::size_t i = 0; i < tally_.size(); ++i) {
      OutputTally& all = shared_->tally.outputs[i];
      all.accepted += tally_[i].accepted;
      all.clamped += tally_[i].clamped;
      all.held += tally_[i].held;
      for (const auto& [reason, count] : tally_[i].reasons) all.reasons[reason] += count;
    }
  }

  std::string_view name() const noexcept override { return inside_->name(); }
  std::size_t forecast_leads() const noexcept override { return inside_->forecast_leads(); }

  // The guard has watched the plant for a period when the first decision comes, so that its rates allow one.
  void reset(const env::Snapshot& snapshot) noexcept override {
    inside_->reset(snapshot);
    auto fresh = guard::Guard::create(shared_->site);
    RLTUNE_CHECK(fresh.has_value());  // the same site made the first one
    guard_ = std::move(*fresh);
    now_ = kStart;
    std::ranges::fill(proposals_, guard::OutputProposal{});
    show(snapshot);
    guard_.decide(input(), verdicts_);
  }

  controllers::Outcome act(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    const controllers::Outcome outcome = inside_->act(snapshot, inputs);
    now_ += from_seconds(shared_->plant.sample_period_s);
    show(snapshot);
    for (std::size_t output = 0; output < proposals_.size(); ++output) {
      const std::size_t at = shared_->inputs[output];
      proposals_[output] = {at < inputs.size() ? inputs[at] : 0.0,
                            at < inputs.size() && outcome == controllers::Outcome::ok};
    }
    guard_.decide(input(), verdicts_);
    apply(snapshot, inputs);
    const bool stays = std::ranges::equal(inputs, snapshot.inputs);
    return stays ? outcome : controllers::Outcome::ok;
  }

 private:
  using Kind = GuardedPlant::Source::Kind;

  guard::GuardInput input() const noexcept {
    return {.now = now_, .tags = tags_, .proposals = proposals_, .agent_alive = true, .link_up = true};
  }

  void show(const env::Snapshot& snapshot) noexcept {
    for (std::size_t tag = 0; tag < tags_.size(); ++tag) {
      const GuardedPlant::Source& source = shared_->sources[tag];
      if (source.kind == Kind::nowhere) continue;
      tags_[tag].value = source.kind == Kind::measurement ? snapshot.measurements[source.index]
                         : source.kind == Kind::exogenous ? snapshot.exogenous[source.index]
                         : source.kind == Kind::input     ? snapshot.inputs[source.index]
                                                          : source.value;
      tags_[tag].source_time = tags_[tag].received_time = now_;
      tags_[tag].quality = Quality::good;
    }
  }

  void apply(const env::Snapshot& snapshot, std::span<double> inputs) noexcept {
    bool touched = false;
    std::ranges::copy(snapshot.inputs, inputs.begin());
    for (std::size_t output = 0; output < verdicts_.size(); ++output) {
      const std::size_t at = shared_->inputs[output];
      if (at >= inputs.size()) continue;
      const guard::OutputVerdict& verdict = verdicts_[output];
      inputs[at] = verdict.value;
      if (verdict.action != guard::Action::withheld) guard_.applied(output, verdict.value, now_);
      count(tally_[at], verdict);
      touched = touched || verdict.action != guard::Action::accepted;
    }
    ++decisions_;
    intervened_ += touched;
  }

  static void count(OutputTally& tally, const guard::OutputVerdict& verdict) {
    tally.accepted += verdict.action == guard::Action::accepted;
    tally.clamped += verdict.action == guard::Action::clamped;
    tally.held += verdict.action == guard::Action::held || verdict.action == guard::Action::withheld;
    if (verdict.action == guard::Action::accepted) return;
    for (const std::string& word : words_of(verdict.reasons)) ++tally.reasons[word];
  }

  std::unique_ptr<controllers::Controller> inside_;
  std::shared_ptr<GuardedPlant::Shared> shared_;
  guard::Guard guard_;
  TimePoint now_ = kStart;
  std::vector<Sample> tags_;
  std::vector<guard::OutputProposal> proposals_;
  std::vector<guard::OutputVerdict> verdicts_;
  std::vector<OutputTally> tally_;  // by the plant's inputs
  std::size_t decisions_ = 0, intervened_ = 0;
};

Result<GuardedPlant> GuardedPlant::of_site(config::Site site, const env::PlantSpec& plant) {
  auto shared = std::make_shared<Shared>();
  const auto names = bound_names(site, plant);
  shared->sources.resize(site.tags.size());
  std::vector<bool> known(site.tags.size());
  for (std::size_t tag = 0; tag < site.tags.size(); ++tag) {
    const auto bound = names.find(site.tags[tag].name);
    const std::string& name = bound == names.end() ? site.tags[tag].name : bound->second;
    Source& source = shared->sources[tag];
    const auto look = [&](const env::Space& space, Source::Kind kind) {
      if (const std::size_t at = place(space, name); at < space.size()) source = {kind, at, 0.0};
    };
    look(plant.measurements, Source::Kind::measurement);
    look(plant.exogenous, Source::Kind::exogenous);
    if (site.tags[tag].role == config::TagRole::setpoint) look(plant.inputs, Source::Kind::input);
    for (const config::OutputRule& rule : site.guard.outputs)
      if (rule.mode_tag == site.tags[tag].name && !rule.mode_remote.empty())
        source = {Source::Kind::remote, 0, rule.mode_remote.front()};
    known[tag] = source.kind != Source::Kind::nowhere;
  }
  if (auto done = check_interlocks(site, known); !done) return std::unexpected(done.error());
  // Of a budget, what the plant does not have is used by nobody.
  for (config::Budget& budget : site.budgets)
    std::erase_if(budget.outputs, [&](const std::string& output) { return !known[site.find_tag(output).value()]; });
  site.agents = {owner(site, plant)};
  site.guard.mode = "automatic";
  const auto guard = guard::Guard::create(site);
  if (!guard) return std::unexpected(guard.error());
  for (std::size_t output = 0; output < guard->outputs(); ++output) {
    const Source& source = shared->sources[guard->output_tag(output)];
    shared->inputs.push_back(source.kind == Source::Kind::input ? source.index : plant.inputs.size());
  }
  for (std::size_t i = 0; i < plant.inputs.size(); ++i) {
    if (std::ranges::find(shared->inputs, i) == shared->inputs.end())
      return fail(Errc::invalid_argument, std::format("guard.outputs: no rules for '{}', an input of the plant '{}'",
                                                      plant.inputs[i].name, plant.name));
    shared->tally.outputs.push_back({.name = plant.inputs[i].name});
  }
  shared->site = std::move(site);
  shared->plant = plant;
  return GuardedPlant(std::move(shared));
}

Result<GuardedPlant> GuardedPlant::of_ranges(const env::PlantSpec& plant) {
  config::Site site;
  site.name = plant.name;
  for (std::size_t i = 0; i < plant.inputs.size(); ++i) {
    const env::Variable& input = plant.inputs[i];
    site.tags.push_back({.name = input.name, .unit = input.unit, .role = config::TagRole::setpoint});
    site.guard.outputs.push_back({.tag = input.name,
                                  .limits = {input.low, input.high},
                                  .step_max = plant.input_step_max[i],
                                  .safe_value = input.low});
  }
  return of_site(std::move(site), plant);
}

ControllerFactory GuardedPlant::guard(ControllerFactory factory) const {
  return [factory = std::move(factory), shared = shared_]() -> Result<std::unique_ptr<controllers::Controller>> {
    auto inside = factory();
    if (!inside) return inside;
    auto guard = guard::Guard::create(shared->site);
    if (!guard) return std::unexpected(guard.error());
    return std::make_unique<GuardedController>(std::move(*inside), shared, std::move(*guard));
  };
}

GuardTally GuardedPlant::tally() const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->tally;
}

}  // namespace rltune::evaluation
