#include "rltune/library/plant_desk.hpp"

#include <algorithm>

#include "rltune/env/plants.hpp"

namespace rltune::library {
namespace {

void tell_brief(const env::PlantSpec& spec, v1::PlantModelInfo& info) {
  info.set_name(spec.name);
  info.set_description(spec.description);
}

void tell_space(const env::Space& space, google::protobuf::RepeatedPtrField<v1::PlantVariable>& told) {
  for (const env::Variable& variable : space) {
    v1::PlantVariable& one = *told.Add();
    one.set_name(variable.name);
    one.set_unit(variable.unit);
    one.set_low(variable.low);
    one.set_high(variable.high);
    one.set_description(variable.description);
  }
}

void tell_parameters(const env::PlantSpec& spec, v1::PlantModelAnswer& answer) {
  for (const env::Parameter& parameter : spec.parameters) {
    v1::PlantParameter& one = *answer.add_parameters();
    one.set_name(parameter.name);
    one.set_unit(parameter.unit);
    one.set_value(parameter.value);
    one.set_description(parameter.description);
    one.set_uncertain(parameter.uncertain);
  }
}

}  // namespace

void add_plant_desk(bus::Server& server) {
  server.handle<v1::PlantModelsRequest, v1::PlantModelsAnswer>(
      "records.PlantModels",
      [](const bus::Call&, const v1::PlantModelsRequest&, v1::PlantModelsAnswer& answer) -> Result<> {
        list_plant_models(answer);
        return {};
      });
  server.handle<v1::PlantModelRequest, v1::PlantModelAnswer>(
      "records.PlantModel", [](const bus::Call&, const v1::PlantModelRequest& request, v1::PlantModelAnswer& answer) {
        return tell_plant_model(request, answer);
      });
}

void list_plant_models(v1::PlantModelsAnswer& answer) {
  for (const std::string& name : env::plant_names())
    if (const auto model = env::make_plant(name, 1)) tell_brief((*model)->spec(), *answer.add_models());
}

Result<> tell_plant_model(const v1::PlantModelRequest& request, v1::PlantModelAnswer& answer) {
  if (!std::ranges::contains(env::plant_names(), request.model()))
    return fail(Errc::not_found, "there is no plant model of that name");
  const auto model = env::make_plant(request.model(), 1);
  if (!model) return std::unexpected(model.error());
  const auto task = env::make_task(request.model());
  if (!task) return std::unexpected(task.error());
  const env::PlantSpec& spec = (*model)->spec();
  tell_brief(spec, *answer.mutable_model());
  answer.set_sample_period_s(spec.sample_period_s);
  answer.set_episode_steps(static_cast<std::uint64_t>(task->steps));
  answer.set_parameters_sha256(env::parameters_sha256(spec));
  tell_parameters(spec, answer);
  tell_space(spec.inputs, *answer.mutable_inputs());
  tell_space(spec.measurements, *answer.mutable_measurements());
  tell_space(spec.exogenous, *answer.mutable_exogenous());
  tell_space(spec.limits, *answer.mutable_limits());
  tell_space(spec.reward_terms, *answer.mutable_reward_terms());
  return {};
}

}  // namespace rltune::library
