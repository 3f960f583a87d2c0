// site_bench PART [AMOUNT]: measures one thing on a whole site and prints the rows as one JSON object.
#include <gtest/gtest.h>

#include <array>

#include "parts.hpp"
#include "run_part.hpp"

namespace rltune::bench {
namespace {

constexpr std::array kParts{Part{"control", control, 120.0},
                            Part{"agents", agents, 60.0},
                            Part{"reaction", reaction, 500.0},
                            Part{"season", season, 3.0},
                            Part{"recovery", recovery, 5.0},
                            Part{"startup", startup, 20.0},
                            Part{"soak-live", soak_live, 1800.0},
                            Part{"soak-lockstep", soak_lockstep, 1800.0},
                            Part{"soak-guard", soak_guard, 60.0},
                            Part{"dispatch", dispatch, 10'000.0},
                            Part{"soak-crashes", soak_crashes, 12.0},
                            Part{"soak-switches", soak_switches, 1000.0},
                            Part{"soak-bad-versions", soak_bad_versions, 100.0},
                            Part{"soak-transitions", soak_transitions, 3.0}};

}  // namespace
}  // namespace rltune::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);  // the pilot site's own checks report through it
  return rltune::bench::run_part(rltune::bench::kParts, argc, argv);
}
