// The main of a program of benchmarks, PROGRAM PART [AMOUNT]: measures one thing and prints its rows as one JSON
// object.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <print>
#include <span>
#include <string_view>

#include "rows.hpp"

namespace rltune::bench {

struct Part {
  std::string_view name;
  Rows (*measure)(double amount);
  double amount;  // where none is given
};

inline int run_part(std::span<const Part> parts, int argc, char** argv) {
  for (const Part& part : parts) {
    if (argc < 2 || part.name != argv[1]) continue;
    const Rows rows = part.measure(argc > 2 ? std::atof(argv[2]) : part.amount);
    std::println("{}", to_json(rows).dump());
    return 0;
  }
  std::println(stderr, "Usage: {} PART [AMOUNT]; parts and their amounts:", argv[0]);
  for (const Part& part : parts) std::println(stderr, "  {:<18} {:g}", part.name, part.amount);
  return 2;
}

}  // namespace rltune::bench
