// What a policy, a plant and its people may do at one decision, at worst: values that are not finite or far outside,
// lost agents, broken links, a sensor that lies, an operator who takes over.
#pragma once

#include <limits>

#include "guard_checker.hpp"
#include "rltune/base/random.hpp"

namespace rltune::guard {

inline double wild(Random& random, double low, double high) {
  switch (random.below(20)) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return std::numeric_limits<double>::infinity();
    case 2:
      return -std::numeric_limits<double>::infinity();
    case 3:
      return 1e300;
    default:
      return random.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low));
  }
}

inline GuardChecker::Turn random_turn(Random& random) {
  GuardChecker::Turn turn;
  turn.wait = from_seconds(random.uniform() < 0.1 ? random.uniform(0.0, 60.0) : 10.0);
  constexpr std::array kHighest{150.0, 5.0, 120.0, 100.0};
  for (std::size_t i = 0; i < GuardChecker::kOutputs; ++i) {
    turn.proposals[i] = {wild(random, 0.0, kHighest[i]), random.uniform() < 0.95};
    turn.fallback[i] = {wild(random, 0.0, kHighest[i]), random.uniform() < 0.9};
  }
  if (random.uniform() < 0.05) turn.by_hand = wild(random, 0.0, 100.0);
  turn.by_dcs = random.uniform(0.0, 150.0);
  if (random.uniform() < 0.01) turn.mode = random.uniform() < 0.1 ? Mode::shadow : Mode::automatic;
  turn.supervised = random.uniform() < 0.2;
  turn.agent = static_cast<std::uint32_t>(random.below(2));
  turn.temperature = random.uniform() < 0.02 ? random.uniform(-40.0, 80.0) : random.uniform(10.0, 30.0);
  turn.temperature_bad = random.uniform() < 0.01;
  turn.pressure = random.uniform() < 0.02 ? random.uniform(-2.0, 12.0) : random.uniform(1.0, 7.0);
  turn.heating_mode = random.uniform() < 0.03 ? static_cast<double>(random.below(3)) : 1.0;
  turn.link_up = random.uniform() > 0.01;
  turn.agent_alive = random.uniform() > 0.05;
  turn.acknowledged = random.uniform() > 0.02;
  return turn;
}

}  // namespace rltune::guard
