#include "interlocks.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "elapsed.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::guard {
namespace {

constexpr std::uint32_t bit(Reason reason) { return static_cast<std::uint32_t>(reason); }

}  // namespace

Result<Interlocks> Interlocks::create(const config::Site& site, std::span<const std::size_t> output_tags) {
  Interlocks made;
  made.faults_.assign(site.tags.size(), 0);
  made.values_.assign(site.tags.size(), 0.0);
  std::vector<std::string> names;
  for (const config::Tag& tag : site.tags) names.push_back(tag.elements == 1 ? tag.name : std::string());
  std::vector<bool> used(site.tags.size());
  for (std::size_t i = 0; i < site.guard.interlocks.size(); ++i) {
    const config::Interlock& interlock = site.guard.interlocks[i];
    const std::string path = std::format("guard.interlocks[{}]", i);
    auto expression = config::Expression::compile(interlock.require, names);
    if (!expression)
      return fail(Errc::invalid_argument, std::format("{}.require: {}", path, expression.error().message));
    if (!expression->used_previous().empty())
      return fail(Errc::invalid_argument, std::format("{}.require: previous() has no meaning here", path));
    for (const std::size_t tag : expression->used()) used[tag] = true;
    Condition condition{std::move(*expression), {}};
    for (std::size_t output = 0; output < output_tags.size(); ++output)
      if (interlock.outputs.empty() ||
          std::ranges::find(interlock.outputs, site.tags[output_tags[output]].name) != interlock.outputs.end())
        condition.outputs.push_back(output);
    if (!interlock.outputs.empty() && condition.outputs.size() != interlock.outputs.size())
      return fail(Errc::invalid_argument,
                  std::format("{}.outputs: names a tag that is not a set-point with rules", path));
    made.conditions_.push_back(std::move(condition));
  }
  constexpr config::Range kAnywhere{std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()};
  for (std::size_t tag = 0; tag < site.tags.size(); ++tag)
    if (used[tag])
      made.inputs_.push_back({.tag = tag,
                              .stale_after = from_seconds(site.stale_after_s(site.tags[tag])),
                              .operating = site.tags[tag].operating.value_or(kAnywhere),
                              .uncertain_is_good = site.tags[tag].uncertain_is_good});
  return made;
}

std::uint32_t Interlocks::judge(const Input& input, std::span<const Sample> tags, TimePoint now) const noexcept {
  if (input.tag >= tags.size()) return bit(Reason::bad_input);
  const Sample& sample = tags[input.tag];
  const bool good =
      sample.quality == Quality::good || (sample.quality == Quality::uncertain && input.uncertain_is_good);
  std::uint32_t fault = 0;
  // Written so that NaN lies outside.
  if (!good || !(sample.value >= input.operating.low && sample.value <= input.operating.high))
    fault |= bit(Reason::bad_input);
  // In either direction: a source time far ahead tells no more of the present than one far behind.
  if (input.stale_after > Duration::zero() && apart(sample.source_time, now) > input.stale_after)
    fault |= bit(Reason::stale_input);
  return fault;
}

std::uint32_t Interlocks::trip(Condition& condition) noexcept {
  std::uint32_t fault = 0;
  for (const std::size_t tag : condition.expression.used()) fault |= faults_[tag];
  if (fault == 0) {
    const double truth = condition.expression.evaluate(values_);
    if (std::isfinite(truth)) return truth != 0.0 ? 0 : bit(Reason::interlock);
    fault = bit(Reason::bad_input);
  }
  return fault | bit(Reason::interlock);
}

bool Interlocks::concern(std::size_t output) const noexcept {
  return std::ranges::any_of(conditions_, [output](const Condition& condition) {
    return std::ranges::find(condition.outputs, output) != condition.outputs.end();
  });
}

void Interlocks::evaluate(std::span<const Sample> tags, TimePoint now, std::span<std::uint32_t> reasons) noexcept {
  std::ranges::fill(reasons, 0U);
  for (const Input& input : inputs_) {
    faults_[input.tag] = judge(input, tags, now);
    values_[input.tag] = input.tag < tags.size() ? tags[input.tag].value : 0.0;
  }
  for (Condition& condition : conditions_)
    if (const std::uint32_t tripped = trip(condition); tripped != 0)
      for (const std::size_t output : condition.outputs) reasons[output] |= tripped;
}

}  // namespace rltune::guard
