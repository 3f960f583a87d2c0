#include "plant_operations.hpp"

#include <cmath>

#include "asking.hpp"
#include "rltune/api/plants.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::gateway {
namespace {

constexpr std::string_view kLibrary = "coredinator.records";

api::PlantModelBrief brief(const v1::PlantModelInfo& told) {
  return {.name = told.name(), .description = told.description()};
}

std::optional<double> bound(double told) { return std::isfinite(told) ? std::optional(told) : std::nullopt; }

std::vector<api::PlantVariable> space(const google::protobuf::RepeatedPtrField<v1::PlantVariable>& told) {
  std::vector<api::PlantVariable> variables;
  for (const v1::PlantVariable& variable : told)
    variables.push_back({.name = variable.name(),
                         .unit = variable.unit(),
                         .description = variable.description(),
                         .low = bound(variable.low()),
                         .high = bound(variable.high())});
  return variables;
}

Answer plant_models(const v1::PlantModelsAnswer& answered) {
  api::PlantModelList list;
  for (const v1::PlantModelInfo& model : answered.models()) list.plants.push_back(brief(model));
  return answer(list);
}

Answer plant_model(const v1::PlantModelAnswer& answered) {
  api::PlantModel model{.model = brief(answered.model()),
                        .sample_period_s = answered.sample_period_s(),
                        .episode_steps = answered.episode_steps(),
                        .parameters_sha256 = answered.parameters_sha256(),
                        .parameters = {},
                        .inputs = space(answered.inputs()),
                        .measurements = space(answered.measurements()),
                        .exogenous = space(answered.exogenous()),
                        .limits = space(answered.limits()),
                        .reward_terms = space(answered.reward_terms())};
  for (const v1::PlantParameter& parameter : answered.parameters())
    model.parameters.push_back({.name = parameter.name(),
                                .unit = parameter.unit(),
                                .description = parameter.description(),
                                .value = parameter.value(),
                                .uncertain = parameter.uncertain()});
  return answer(model);
}

}  // namespace

Handlers plant_handlers(const Reading& reading) {
  Handlers handlers;
  handlers.emplace("listPlantModels", [reading](const CallPointer& call, const Done& done) {
    ask<v1::PlantModelsAnswer>(reading.caller, call, to("records.PlantModels", std::string(kLibrary)),
                               v1::PlantModelsRequest(), plant_models, done);
  });
  handlers.emplace("getPlantModel", [reading](const CallPointer& call, const Done& done) {
    v1::PlantModelRequest request;
    request.set_model(call->parts[0]);
    ask<v1::PlantModelAnswer>(reading.caller, call, to("records.PlantModel", std::string(kLibrary)), request,
                              plant_model, done);
  });
  return handlers;
}

}  // namespace rltune::gateway
