// What a controller can see at one decision instant, and how a policy's observation and action are made
// of it. Environments, `policy evaluate` and the agent on site share this one definition: that is why a
// closed loop over a network returns what the evaluation returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rltune/env/space.hpp"

namespace rltune::env {

// How much of the past a policy sees (history.hpp).
struct HistoryOptions {
  std::size_t frames = 1;      // rows that are seen: this one and frames - 1 before it
  std::vector<double> traces;  // rates, each above 0 and below 1

  bool empty() const noexcept { return frames <= 1 && traces.empty(); }
};

// Engineer's units; the order of each span is the plant's own (PlantSpec).
struct Snapshot {
  std::span<const double> measurements;
  std::span<const double> inputs;     // applied in the period that ends now
  std::span<const double> exogenous;  // now
  std::span<const double> forecast;   // [lead 1..L][exogenous]; empty where none is known
  double progress = 0.0;              // episode or season, 0 to 1; 0 for a continuing task
};

// Where one observation component comes from.
struct Feature {
  enum class Source : std::uint8_t { measurement, input, exogenous, forecast, progress };
  Source source = Source::measurement;
  std::size_t index = 0;  // into that span of the Snapshot
  std::size_t lead = 0;   // forecast only: 1 is one sample period ahead
  Variable variable;      // name and unit; bounds are the normalising range
  // Of the past (history.hpp): so many periods ago, or a decaying mean with this rate. Neither: now.
  std::size_t ago = 0;
  double trace = 0.0;
};

using ObservationLayout = std::vector<Feature>;

// How one component of the policy's output in [-1, 1] becomes an input value.
struct Actuation {
  enum class Kind : std::uint8_t { absolute, increment };
  Kind kind = Kind::absolute;
  double low = 0.0;
  double high = 1.0;      // absolute: -1 is low, 1 is high. increment: the result is clipped to them
  double step_max = 0.0;  // increment: u = clip(u_previous + a * step_max, low, high)
};

using ActionLayout = std::vector<Actuation>;

// What -1 and 1 of each action stand for: the input's range, or its largest change.
Space action_space(const Space& inputs, const ActionLayout& layout);

// Writes one value a feature. REQUIRES: every index lies inside the snapshot; out.size() == layout.size().
void observe(const ObservationLayout& layout, const Snapshot& snapshot, std::span<float> out) noexcept;

// Writes one input value an actuation from actions in [-1, 1] (clipped).
void actuate(const ActionLayout& layout, std::span<const float> actions, std::span<const double> previous_inputs,
             std::span<double> inputs) noexcept;

// The inverse of actuate() for one input: the action that comes to `input` from `previous`. Outside of [-1, 1] where
// none does: a change larger than its steps, a value outside of its range.
double action_for(const Actuation& actuation, double input, double previous) noexcept;

}  // namespace rltune::env
