// A Dataset is what somebody did and what came of it, episode by episode: what offline learning learns from.
//
// Threads: values; nothing is shared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/env/environment.hpp"
#include "rltune/env/space.hpp"
#include "rltune/rl/learner.hpp"

namespace rltune::dataset {

// Rows follow each other; d observation variables, a actions (1 where they are discrete).
struct Episode {
  std::vector<float> observations;  // (steps + 1) x d: the last one is where the episode ended
  std::vector<float> actions;       // steps x a, in [-1, 1]; a discrete one is its index
  std::vector<float> rewards;       // steps
  bool terminated = false;          // nothing follows; otherwise the clock or the recording cut it

  std::size_t steps() const noexcept { return rewards.size(); }
};

struct Dataset {
  std::string name;
  env::Space observation;            // bounds are those of the data
  env::Space action;                 // bounds are what -1 and 1 stand for
  std::size_t discrete_actions = 0;  // > 0: an action is one of so many
  std::map<std::string, std::string> metadata;
  std::vector<Episode> episodes;

  std::size_t transitions() const noexcept;
};

// Whether the tables have the sizes they must, all numbers are finite and all actions in range. Errors: corrupt, with
// the episode (from 0) and the field.
Result<> check(const Dataset& dataset);

// Our own file: docs/formats/dataset.md. Errors: those of Archive; corrupt.
Result<> save(const Dataset& dataset, const std::filesystem::path& path);
Result<Dataset> load(const std::filesystem::path& path);

// A Minari data set (https://minari.farama.org): its folder, or main_data.hdf5 in it. Flat observations (Box) and
// actions of kind Box or Discrete. Errors: not_found, parse, unsupported, corrupt; with episode and field.
Result<Dataset> read_minari(const std::filesystem::path& path);

// A table with a header. Columns: "episode" (optional: rows follow each other while it stays the same), "obs:NAME",
// "act:NAME" (in [-1, 1], or in the range that "act:NAME[LOW,HIGH]" states) or "choice" (a discrete action), "reward",
// "terminated" (optional, 1 where nothing follows). The last row of an episode that did not terminate says where it
// ended: its action and reward may be empty. Errors: not_found, parse, corrupt; with the line.
Result<Dataset> read_csv(const std::filesystem::path& path);
Result<Dataset> parse_csv(std::string_view text, const std::string& name);

// Any of these, by what the file begins with; a folder is Minari's.
Result<Dataset> read(const std::filesystem::path& path);

// Sets the bounds of the observations to what the data shows.
void measure_observations(Dataset& dataset);

// The data in the terms of where a policy learned from it is to act. Where it has all the names of the task, its
// columns are put in the task's order and others are left out; where it has none of them, the columns are taken as they
// stand. Actions whose range is another one than the task's are converted; a range of [-1, 1] on either side says
// nothing. `spec.action` says what -1 and 1 stand for. Errors: mismatch: sizes, some of the names, units, kinds of
// actions, an action outside of the task's range; with the name.
Result<Dataset> fitted(Dataset dataset, const env::EnvironmentSpec& spec);

// All of it into a learner of one instance. REQUIRES: check() is well, the learner has the data's shapes.
void feed(const Dataset& dataset, rl::Learner& learner);

// SHA-256 of the names and numbers, as hexadecimal text: equal data has equal ones.
std::string digest(const Dataset& dataset);

// Undiscounted return of each episode.
std::vector<double> returns(const Dataset& dataset);

}  // namespace rltune::dataset
