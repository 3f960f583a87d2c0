// A Controller chooses a plant's inputs. Classical ones (off, hold, schedule, grower, rule, pid, mpc)
// and learned policies stand behind this one interface: they are baselines, fallbacks and teachers.
//
// Threads: one controller belongs to one thread.
// Memory:  construction allocates; act() does not (mpc excepted: it plans, and says so).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "rltune/env/snapshot.hpp"

namespace rltune::controllers {

// What the controller says of its own output: ok, keep the last inputs, or do not use it at all.
enum class Outcome : std::uint8_t { ok, hold, fault };

class Controller {
 public:
  virtual ~Controller() = default;
  virtual std::string_view name() const noexcept = 0;

  // Bumpless start from the live state: integrators take the values at which act() returns the inputs
  // that are applied now. Also called at the start of every evaluated episode.
  virtual void reset(const env::Snapshot& snapshot) noexcept = 0;

  // Writes the wanted inputs, engineer's units, within the plant's bounds and rate limits.
  virtual Outcome act(const env::Snapshot& snapshot, std::span<double> inputs) noexcept = 0;

  // Leads that act() looks ahead in Snapshot::forecast; where fewer are given, the last known row stands in.
  virtual std::size_t forecast_leads() const noexcept { return 0; }
};

}  // namespace rltune::controllers
