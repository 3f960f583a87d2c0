// gateway_bench PART [AMOUNT]: measures the gateway and prints the rows as one JSON object.
#include <array>
#include <string_view>

#include "gateway_parts.hpp"

namespace {

struct Part {
  std::string_view name;
  rltune::bench::Rows (*measure)(double);
  double amount;
};

constexpr std::array kParts{Part{"calls", rltune::bench::gateway_calls, 5.0},
                            Part{"keys", rltune::bench::gateway_keys, 20.0},
                            Part{"live", rltune::bench::gateway_live, 30.0}};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "echo") return rltune::bench::serve_echo(argv[2]);
  for (const Part& part : kParts) {
    if (argc < 2 || part.name != argv[1]) continue;
    const auto rows = part.measure(argc > 2 ? std::atof(argv[2]) : part.amount);
    std::println("{}", to_json(rows).dump());
    return 0;
  }
  std::print(stderr, "Usage: gateway_bench PART [AMOUNT]; parts and their amounts:\n");
  for (const Part& part : kParts) std::println(stderr, "  {:<10} {:g}", part.name, part.amount);
  return 2;
}
