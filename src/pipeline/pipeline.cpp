#include "rltune/pipeline/pipeline.hpp"

#include <vector>

#include "element_health.hpp"
#include "rltune/base/check.hpp"

namespace rltune::pipeline {

namespace {

// Before the first judgement nothing is from the future; far enough from the end of time to add to.
constexpr TimePoint kNotJudged = TimePoint::max() - std::chrono::days(10'000);

}  // namespace

struct Pipeline::State {
  std::vector<HealthRules> rules;   // by tag
  std::vector<std::size_t> offset;  // by tag, and the end
  std::vector<ElementHealth> elements;
  TimePoint judged = kNotJudged;
};

Result<Pipeline> Pipeline::create(const config::Site& site) {
  auto state = std::make_unique<State>();
  std::size_t count = 0;
  for (const config::Tag& tag : site.tags) {
    if (tag.elements == 0) return fail(Errc::invalid_argument, "tag " + tag.name + " has no elements");
    state->rules.push_back(rules_of(site, tag));
    state->offset.push_back(count);
    count += tag.elements;
  }
  state->offset.push_back(count);
  state->elements.resize(count);
  return Pipeline(std::move(state));
}

Pipeline::Pipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;

std::size_t Pipeline::elements() const noexcept { return state_->elements.size(); }
std::size_t Pipeline::element_offset(std::size_t tag) const noexcept { return state_->offset[tag]; }

void Pipeline::add(std::span<const Sample> samples) noexcept {
  State& state = *state_;
  for (const Sample& sample : samples) {
    if (sample.tag >= state.rules.size()) continue;
    const std::size_t element = state.offset[sample.tag] + sample.element;
    if (element < state.offset[sample.tag + 1])
      state.elements[element].add(sample, state.rules[sample.tag], state.judged);
  }
}

void Pipeline::judge(TimePoint now, std::span<TagValue> out) noexcept {
  State& state = *state_;
  RLTUNE_CHECK(out.size() == state.elements.size());
  state.judged = now;
  for (std::size_t tag = 0; tag < state.rules.size(); ++tag)
    for (std::size_t element = state.offset[tag]; element < state.offset[tag + 1]; ++element)
      out[element] = state.elements[element].judge(now, state.rules[tag]);
}

}  // namespace rltune::pipeline
