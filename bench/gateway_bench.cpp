// gateway_bench PART [AMOUNT]: measures the gateway and prints the rows as one JSON object.
#include <array>
#include <string_view>

#include "gateway_parts.hpp"
#include "run_part.hpp"

namespace rltune::bench {
namespace {

constexpr std::array kParts{Part{"calls", gateway_calls, 5.0}, Part{"keys", gateway_keys, 20.0},
                            Part{"live", gateway_live, 60.0}};

}  // namespace
}  // namespace rltune::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "echo") return rltune::bench::serve_echo(argv[2]);
  return rltune::bench::run_part(rltune::bench::kParts, argc, argv);
}
