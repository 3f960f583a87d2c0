// Messages about the plant models that policies are trained on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"

namespace rltune::api {

struct PlantModelBrief {
  static constexpr std::string_view kSchema = "PlantModelBrief";
  std::string name, description;
};
template <typename Visitor>
void describe(Visitor& v, PlantModelBrief& model) {
  v.field("name", model.name, {.note = "as `plant` of a policy names it"});
  v.field("description", model.description, {.note = "what it is a model of, and whose"});
}

struct PlantModelList {
  static constexpr std::string_view kSchema = "PlantModelList";
  std::vector<PlantModelBrief> plants;
};
template <typename Visitor>
void describe(Visitor& v, PlantModelList& list) {
  v.field("plants", list.plants, {.note = "every model of the product's version that runs here"});
}

struct PlantVariable {
  static constexpr std::string_view kSchema = "PlantVariable";
  std::string name, unit, description;
  std::optional<double> low, high;
};
template <typename Visitor>
void describe(Visitor& v, PlantVariable& variable) {
  v.field("name", variable.name, {.note = "in the model's words"});
  v.field("unit", variable.unit, {.note = "engineer's; 1: a pure number"});
  v.field("description", variable.description, {.note = "what it is"});
  v.field("low", variable.low, {.note = "its least; missing: it has none"});
  v.field("high", variable.high, {.note = "its most; missing: it has none"});
}

struct PlantParameter {
  static constexpr std::string_view kSchema = "PlantParameter";
  std::string name, unit, description;
  double value = 0.0;
  bool uncertain = false;
};
template <typename Visitor>
void describe(Visitor& v, PlantParameter& parameter) {
  v.field("name", parameter.name, {.note = "as in the literature"});
  v.field("unit", parameter.unit, {.note = "engineer's; 1: a pure number"});
  v.field("description", parameter.description, {.note = "what it is"});
  v.field("value", parameter.value, {.note = "where nothing sets it otherwise"});
  v.field("uncertain", parameter.uncertain, {.note = "randomisation draws it anew"});
}

struct PlantModel {
  static constexpr std::string_view kSchema = "PlantModel";
  PlantModelBrief model;
  double sample_period_s = 0.0;
  std::uint64_t episode_steps = 0;
  std::string parameters_sha256;
  std::vector<PlantParameter> parameters;
  std::vector<PlantVariable> inputs, measurements, exogenous, limits, reward_terms;
};
template <typename Visitor>
void describe(Visitor& v, PlantModel& plant) {
  v.field("model", plant.model, {.note = "its name, and what it is"});
  v.field("sample_period_s", plant.sample_period_s, {.note = "seconds of a step"});
  v.field("episode_steps", plant.episode_steps, {.note = "of a season, a batch or whatever its task is"});
  v.field("parameters_sha256", plant.parameters_sha256, {.note = "as policies that were trained on it name it"});
  v.field("parameters", plant.parameters, {.note = "of its physics and its prices"});
  v.field("inputs", plant.inputs, {.note = "what a controller sets; bounds are the actuators'"});
  v.field("measurements", plant.measurements, {.note = "what it measures; bounds are the sensors'"});
  v.field("exogenous", plant.exogenous, {.note = "what is seen and not set: weather, prices"});
  v.field("limits", plant.limits, {.note = "bands of measurements: what lies outside is a violation"});
  v.field("reward_terms", plant.reward_terms, {.note = "their sum is the reward of a step"});
}

}  // namespace rltune::api
