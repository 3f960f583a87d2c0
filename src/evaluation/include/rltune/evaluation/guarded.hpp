// Controllers as a site runs them: what they want passes through the site's guard, the same code that io asks before
// every write, and the plant gets what the guard lets through.
//
// The guard sees what the sensors show, noise included, at the plant's own period; DCS modes say that the outputs are
// ours, the link is up, every write arrives.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rltune/config/site.hpp"
#include "rltune/evaluation/evaluate.hpp"

namespace rltune::evaluation {

// What the guard did to one output.
struct OutputTally {
  std::string name;  // the plant's input
  std::size_t accepted = 0, clamped = 0, held = 0;
  std::map<std::string, std::size_t> reasons;  // decisions by reason: "interlock", "limit_high"
};

struct GuardTally {
  std::size_t decisions = 0;
  std::size_t intervened = 0;  // decisions in which at least one output was not taken as proposed
  std::vector<OutputTally> outputs;
};

class GuardedPlant {
 public:
  // The site's rules for this plant. Tags have the plant's names, or those that the agent of this plant binds them to.
  // Errors: invalid_argument: an input of the plant without rules, an interlock on what the plant does not show; those
  // of guard::Guard::create.
  static Result<GuardedPlant> of_site(config::Site site, const env::PlantSpec& plant);
  // Ranges and largest steps of the plant's inputs as the only rules: what a draft of its site begins with.
  static Result<GuardedPlant> of_ranges(const env::PlantSpec& plant);

  // Controllers behind this guard; every one of them adds to this tally. May be called from several threads.
  ControllerFactory guard(ControllerFactory factory) const;
  GuardTally tally() const;

 private:
  friend class GuardedController;
  // Where a tag's value comes from.
  struct Source {
    enum class Kind : std::uint8_t { nowhere, measurement, exogenous, input, remote };
    Kind kind = Kind::nowhere;
    std::size_t index = 0;
    double value = 0.0;  // of a mode
  };
  struct Shared {
    config::Site site;
    env::PlantSpec plant;
    std::vector<Source> sources;      // by tag
    std::vector<std::size_t> inputs;  // the plant's input of each of the guard's outputs; plant.inputs.size(): none
    mutable std::mutex mutex;
    GuardTally tally;
  };
  explicit GuardedPlant(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Shared> shared_;
};

}  // namespace rltune::evaluation
