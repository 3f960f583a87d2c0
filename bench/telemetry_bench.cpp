// telemetry_bench PART [AMOUNT]: measures the telemetry role and prints the rows as one JSON object.
#include <array>
#include <string_view>

#include "telemetry_parts.hpp"

namespace {

struct Part {
  std::string_view name;
  rltune::bench::Rows (*measure)(double);
  double amount;
};

constexpr std::array kParts{
    Part{"speed", rltune::bench::telemetry_speed, 5.0}, Part{"rsyslog", rltune::bench::telemetry_rsyslog, 1e6},
    Part{"kills", rltune::bench::telemetry_kills, 10'000.0}, Part{"day", rltune::bench::telemetry_day, 86'400.0}};

}  // namespace

int main(int argc, char** argv) {
  for (const Part& part : kParts) {
    if (argc < 2 || part.name != argv[1]) continue;
    const auto rows = part.measure(argc > 2 ? std::atof(argv[2]) : part.amount);
    std::println("{}", to_json(rows).dump());
    return 0;
  }
  std::print(stderr, "Usage: telemetry_bench PART [AMOUNT]; parts and their amounts:\n");
  for (const Part& part : kParts) std::println(stderr, "  {:<10} {:g}", part.name, part.amount);
  return 2;
}
