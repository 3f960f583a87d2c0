// The demo's parts in their order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "findings.hpp"

namespace rltune::demo {

struct DemoOptions {
  std::filesystem::path out = "rltune-demo";
  std::string policy;  // an artifact instead of training one
  std::uint64_t steps = 0, seed = 1;
  bool keep = false;  // the policy that an earlier run left in `out`
  std::string weather = "synthetic", time_zone = "UTC", start = "2014-02-09";
  std::uint64_t weather_seed = 7001;
  int days = 40;
  std::size_t episodes = 20;
};

// Runs everything and writes OUT/report.html. A part that did not show what it had to is a failed check.
// Errors: a part that could not be done at all, with its log.
Result<Findings> run_demo(const DemoOptions& options, Narrator& narrator);

}  // namespace rltune::demo
