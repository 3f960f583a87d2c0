// site_bench PART [AMOUNT]: measures one thing on a whole site and prints the rows as one JSON object.
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "parts.hpp"

namespace {

struct Part {
  std::string_view name;
  rltune::bench::Rows (*measure)(double);
  double amount;
};

constexpr std::array kParts{Part{"control", rltune::bench::control, 120.0},
                            Part{"agents", rltune::bench::agents, 60.0},
                            Part{"reaction", rltune::bench::reaction, 500.0},
                            Part{"season", rltune::bench::season, 3.0},
                            Part{"recovery", rltune::bench::recovery, 5.0},
                            Part{"startup", rltune::bench::startup, 20.0},
                            Part{"soak-live", rltune::bench::soak_live, 1800.0},
                            Part{"soak-lockstep", rltune::bench::soak_lockstep, 1800.0},
                            Part{"soak-guard", rltune::bench::soak_guard, 60.0},
                            Part{"dispatch", rltune::bench::dispatch, 10'000.0},
                            Part{"soak-crashes", rltune::bench::soak_crashes, 12.0},
                            Part{"soak-switches", rltune::bench::soak_switches, 1000.0},
                            Part{"soak-bad-versions", rltune::bench::soak_bad_versions, 100.0},
                            Part{"soak-transitions", rltune::bench::soak_transitions, 3.0}};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);  // the pilot site's own checks report through it
  for (const Part& part : kParts) {
    if (argc < 2 || part.name != argv[1]) continue;
    const double amount = argc > 2 ? std::atof(argv[2]) : part.amount;
    const auto rows = part.measure(amount);
    std::println("{}", to_json(rows).dump());
    return 0;
  }
  std::print(stderr, "Usage: site_bench PART [AMOUNT]; parts and their amounts:\n");
  for (const Part& part : kParts) std::println(stderr, "  {:<10} {:g}", part.name, part.amount);
  return 2;
}
