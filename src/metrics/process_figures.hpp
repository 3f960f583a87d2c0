// What the kernel says of this process, by the names that Prometheus' own client libraries use.
#pragma once

#include <vector>

namespace rltune::metrics {

struct ProcessFigure {
  const char* name;
  const char* help;
  bool counts;
  double value;
};

std::vector<ProcessFigure> process_figures();

}  // namespace rltune::metrics
