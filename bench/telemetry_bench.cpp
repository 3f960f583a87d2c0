// telemetry_bench PART [AMOUNT]: measures the telemetry role and prints the rows as one JSON object.
#include <array>

#include "run_part.hpp"
#include "telemetry_parts.hpp"

namespace rltune::bench {
namespace {

constexpr std::array kParts{Part{"speed", telemetry_speed, 5.0}, Part{"rsyslog", telemetry_rsyslog, 1e6},
                            Part{"kills", telemetry_kills, 10'000.0}, Part{"day", telemetry_day, 86'400.0}};

}  // namespace
}  // namespace rltune::bench

int main(int argc, char** argv) { return rltune::bench::run_part(rltune::bench::kParts, argc, argv); }
