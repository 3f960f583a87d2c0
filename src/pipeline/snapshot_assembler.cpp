#include "rltune/pipeline/snapshot_assembler.hpp"

#include <algorithm>
#include <format>
#include <limits>

namespace rltune::pipeline {
namespace {

std::string tag_name_of(const config::Agent& agent, const std::string& variable) {
  const auto bound = agent.bindings.find(variable);
  return bound == agent.bindings.end() ? variable : bound->second;
}

Result<std::size_t> tag_of(const config::Site& site, const config::Agent& agent, const env::Variable& variable) {
  const std::string name = tag_name_of(agent, variable.name);
  const auto tag = site.find_tag(name);
  if (!tag)
    return fail(Errc::not_found,
                std::format("agent {}: no tag '{}' for the policy's {}; name the tag so, or add it under "
                            "agents[].bindings as '{}: <tag>'",
                            agent.id, name, variable.name, variable.name));
  const std::string& unit = site.tags[*tag].unit;
  if (!unit.empty() && !variable.unit.empty() && unit != variable.unit)
    return fail(Errc::mismatch, std::format("agent {}: the policy takes {} in {}, the tag {} is in {}", agent.id,
                                            variable.name, variable.unit, name, unit));
  return *tag;
}

Result<> append_elements(const config::Site& site, const config::Agent& agent, const Pipeline& pipeline,
                         const env::Space& space, std::vector<std::size_t>& elements,
                         std::vector<std::size_t>* tags = nullptr) {
  for (const env::Variable& variable : space) {
    const auto tag = tag_of(site, agent, variable);
    if (!tag) return std::unexpected(tag.error());
    elements.push_back(pipeline.element_offset(*tag));
    if (tags != nullptr) tags->push_back(*tag);
  }
  return {};
}

// First element of the forecast array that predicts this exogenous variable.
Result<std::size_t> forecast_of(const config::Site& site, const config::Agent& agent, const Pipeline& pipeline,
                                const env::Variable& variable, std::size_t leads) {
  const std::string predicted = tag_name_of(agent, variable.name);
  for (std::size_t tag = 0; tag < site.tags.size(); ++tag) {
    const config::Tag& candidate = site.tags[tag];
    if (candidate.role != config::TagRole::forecast || candidate.forecasts != predicted) continue;
    if (candidate.elements < leads)
      return fail(Errc::mismatch,
                  std::format("agent {}: the policy looks {} steps ahead, the forecast tag {} has {} elements",
                              agent.id, leads, candidate.name, candidate.elements));
    return pipeline.element_offset(tag);
  }
  return fail(Errc::not_found,
              std::format("agent {}: the policy needs a forecast of {}; add a tag with role: forecast and "
                          "forecasts: {}",
                          agent.id, variable.name, predicted));
}

// True when every one of `elements` is usable; the rest becomes NaN.
bool take(std::span<const TagValue> values, std::span<const std::size_t> elements, std::span<double> out) noexcept {
  bool good = true;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const TagValue& value = values[elements[i]];
    out[i] = value.usable ? value.value : std::numeric_limits<double>::quiet_NaN();
    good = good && value.usable;
  }
  return good;
}

}  // namespace

Result<SnapshotAssembler> SnapshotAssembler::create(const config::Site& site, const config::Agent& agent,
                                                    const Pipeline& pipeline, const SnapshotShape& shape) {
  SnapshotAssembler made;
  auto done = append_elements(site, agent, pipeline, shape.measurements, made.measurement_elements_);
  if (done) done = append_elements(site, agent, pipeline, shape.inputs, made.input_elements_, &made.input_tags_);
  if (done) done = append_elements(site, agent, pipeline, shape.exogenous, made.exogenous_elements_);
  if (!done) return std::unexpected(done.error());

  if (shape.forecast_leads > 0) {
    std::vector<std::size_t> firsts;
    for (const env::Variable& variable : shape.exogenous) {
      const auto first = forecast_of(site, agent, pipeline, variable, shape.forecast_leads);
      if (!first) return std::unexpected(first.error());
      firsts.push_back(*first);
    }
    for (std::size_t lead = 0; lead < shape.forecast_leads; ++lead)
      for (const std::size_t first : firsts) made.forecast_elements_.push_back(first + lead);
  }
  if (agent.season_days > 0.0) {
    const auto start = parse_rfc3339(agent.season_start);
    if (!start)
      return fail(Errc::invalid_argument, std::format("agent {}: season_start: {}", agent.id, start.error().message));
    made.season_s_ = agent.season_days * 86'400.0;
    made.season_start_ = *start;
  }
  made.measurements_.resize(made.measurement_elements_.size());
  made.inputs_.resize(made.input_elements_.size());
  made.exogenous_.resize(made.exogenous_elements_.size());
  made.forecast_.resize(made.forecast_elements_.size());
  made.point_snapshot();
  return made;
}

void SnapshotAssembler::point_snapshot() noexcept {
  snapshot_ = {.measurements = measurements_, .inputs = inputs_, .exogenous = exogenous_, .forecast = forecast_};
}

bool SnapshotAssembler::assemble(std::span<const TagValue> values, TimePoint now) noexcept {
  const bool measured = take(values, measurement_elements_, measurements_);
  const bool live = take(values, input_elements_, inputs_);
  const bool seen = take(values, exogenous_elements_, exogenous_);
  const bool foreseen = take(values, forecast_elements_, forecast_);
  snapshot_.progress = 0.0;
  if (season_s_ > 0.0)
    snapshot_.progress = std::clamp(static_cast<double>((now - season_start_).count()) / (season_s_ * 1e9), 0.0, 1.0);
  return measured && live && seen && foreseen;
}

}  // namespace rltune::pipeline
