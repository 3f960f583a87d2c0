// The seasons that a controller is judged on: where each begins, and the seed of what chance brings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/env/simulation.hpp"

namespace rltune::evaluation {

using SeriesList = std::vector<std::shared_ptr<const env::ExogenousSeries>>;

struct Season {
  env::Start start;
  std::uint64_t seed = 1;
  std::string label;  // its first day, or the name of the schedule
};

// `count` seasons whose first days are spread evenly over every day from which a whole one fits; season i has the
// seed `seed + i`. A plant with a schedule of its own starts where that does, `count` times.
// Errors: invalid_argument where no whole season fits.
Result<std::vector<Season>> spread_seasons(const SeriesList& series, const env::Task& task, std::size_t count,
                                           std::uint64_t seed);

// `count` seasons that begin at this time, in whichever series has it.
Result<std::vector<Season>> seasons_at(const SeriesList& series, const env::Task& task, TimePoint start,
                                       std::size_t count, std::uint64_t seed);

}  // namespace rltune::evaluation
