// What every classical controller does alike: answers a snapshot that is not finite with a fault, and moves the
// actuators no further than they can go.
#pragma once

#include <span>

#include "input_limits.hpp"
#include "rltune/controllers/controller.hpp"

namespace rltune::controllers {

class LimitedController : public Controller {
 public:
  void reset(const env::Snapshot&) noexcept override {}
  Outcome act(const env::Snapshot& snapshot, std::span<double> inputs) noexcept final;

 protected:
  explicit LimitedController(const env::PlantSpec& plant) : limits_(plant) {}
  // Writes the wanted inputs; they need not be reachable. `snapshot` is finite.
  virtual void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept = 0;

  InputLimits limits_;
};

}  // namespace rltune::controllers
