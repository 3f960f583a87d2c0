// off: every input towards its lowest value, as fast as the actuators move. hold: the inputs of the start.
#include <algorithm>
#include <vector>

#include "kinds.hpp"
#include "limited_controller.hpp"

namespace rltune::controllers {
namespace {

class OffController final : public LimitedController {
 public:
  explicit OffController(const env::PlantSpec& plant) : LimitedController(plant) {}
  std::string_view name() const noexcept override { return "off"; }
  void decide(const env::Snapshot&, std::span<double> inputs) noexcept override {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = std::clamp(0.0, limits_.low(i), limits_.high(i));
  }

 private:
};

class HoldController final : public LimitedController {
 public:
  explicit HoldController(const env::PlantSpec& plant) : LimitedController(plant), held_(plant.input_start) {}
  std::string_view name() const noexcept override { return "hold"; }
  void reset(const env::Snapshot& snapshot) noexcept override { std::ranges::copy(snapshot.inputs, held_.begin()); }
  void decide(const env::Snapshot&, std::span<double> inputs) noexcept override {
    std::ranges::copy(held_, inputs.begin());
  }

 private:
  std::vector<double> held_;
};

bool any_plant(const env::PlantSpec&) { return true; }
std::vector<ControllerParameter> no_parameters(const env::PlantSpec&) { return {}; }

template <typename T>
Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues&) {
  return std::make_unique<T>(plant);
}

}  // namespace

KindEntry off_kind() {
  return {"off",         "every input to zero or its lowest value, at the rate limit",
          false,         any_plant,
          no_parameters, make<OffController>};
}

KindEntry hold_kind() {
  return {"hold", "the inputs of the start, for ever", false, any_plant, no_parameters, make<HoldController>};
}

}  // namespace rltune::controllers
