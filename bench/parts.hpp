// The benchmarks of whole sites: real processes, real protocols. Each starts what it needs in a folder of its own.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <print>
#include <string>

#include "rows.hpp"

namespace rltune::bench {

// A benchmark whose site does not work has no figures.
[[noreturn]] inline void give_up(const std::string& why) {
  std::println(stderr, "site_bench: {}", why);
  std::exit(1);
}

// Ten decisions a second for `seconds`, with a learner at work beside them.
Rows control(double seconds);
// Ten sites with a decision a second each, all of them learning, for `seconds`.
Rows agents(double seconds);
// From a change of a value in an OPC UA server to the acknowledgement of the write that answers it.
Rows reaction(double changes);
// Whole seasons in lockstep.
Rows season(double repetitions);
// kill -9 of each process.
Rows recovery(double repetitions);
// From the command to the first sign of life.
Rows startup(double repetitions);

// Calls to an agent through coredinator, beside as many made to the agent itself.
Rows dispatch(double calls);

// So many rounds of a crash of the agent, io and coredinator each, to the first healthy answer of its successor.
Rows soak_crashes(double rounds);
// So many switches from one version of an agent to another and back, under a load of calls.
Rows soak_switches(double switches);
// So many bad versions of every kind in turn.
Rows soak_bad_versions(double versions);
// So many rounds of kill -9 of coredinator, and of the keeper, at every step of a version's life.
Rows soak_transitions(double rounds);
// Seconds of a live site under random kills, then watched; seconds of lockstep seasons with a kill in each.
Rows soak_live(double seconds);
Rows soak_lockstep(double seconds);
// Seconds of a random policy against the guard alone, a simulated day after the other.
Rows soak_guard(double seconds);

}  // namespace rltune::bench
