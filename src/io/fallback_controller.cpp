#include "rltune/io/fallback_controller.hpp"

#include <format>
#include <utility>

#include "rltune/controllers/registry.hpp"
#include "rltune/env/plants.hpp"

namespace rltune::io {

FallbackController::FallbackController(pipeline::Pipeline pipeline, pipeline::SnapshotAssembler assembler,
                                       std::unique_ptr<controllers::Controller> controller)
    : pipeline_(std::move(pipeline)), assembler_(std::move(assembler)), controller_(std::move(controller)) {
  values_.resize(pipeline_.elements());
  inputs_.resize(assembler_.input_tags().size());
}

Result<std::unique_ptr<FallbackController>> FallbackController::create(const config::Site& site,
                                                                       const config::Agent& agent) {
  if (agent.fallback == "hold") return nullptr;
  auto plant = env::make_plant(agent.plant, 1);
  if (!plant)
    return fail(plant.error().code, std::format("agent {}: the fallback '{}' needs to know the plant: {}", agent.id,
                                                agent.fallback, plant.error().message));
  const env::PlantSpec& spec = (*plant)->spec();
  auto controller = controllers::make_controller(agent.fallback, spec, agent.fallback_parameters);
  if (!controller) return std::unexpected(controller.error());
  auto pipeline = pipeline::Pipeline::create(site);
  if (!pipeline) return std::unexpected(pipeline.error());
  auto assembler = pipeline::SnapshotAssembler::create(
      site, agent, *pipeline, {.measurements = spec.measurements, .inputs = spec.inputs, .exogenous = spec.exogenous});
  if (!assembler) return std::unexpected(assembler.error());
  return std::unique_ptr<FallbackController>(
      new FallbackController(std::move(*pipeline), std::move(*assembler), std::move(*controller)));
}

bool FallbackController::assemble(TimePoint now) noexcept {
  pipeline_.judge(now, values_);
  return assembler_.assemble(values_, now);
}

void FallbackController::start(TimePoint now) noexcept {
  if (assemble(now)) controller_->reset(assembler_.snapshot());
}

std::span<const double> FallbackController::act(TimePoint now) noexcept {
  if (!assemble(now)) return {};
  if (controller_->act(assembler_.snapshot(), inputs_) != controllers::Outcome::ok) return {};
  return inputs_;
}

}  // namespace rltune::io
