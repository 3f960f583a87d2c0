// Any text is an expression or a refusal, and an expression never lets NaN in the values become a truth.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "rltune/config/expression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> kNames{"x", "y", "temperature"};
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto expression = rltune::config::Expression::compile(text, kNames);
  if (!expression) return expression.error().message.empty() ? (std::abort(), 0) : 0;
  const std::vector<double> values{1.5, -2.0, 20.0}, previous{0.0, 1e300, -1e-300};
  const std::vector<double> nothing(3, std::numeric_limits<double>::quiet_NaN());
  expression->evaluate(values, previous);
  const bool reads = !expression->used().empty() || !expression->used_previous().empty();
  if (reads && !std::isnan(expression->evaluate(nothing, nothing))) std::abort();
  return 0;
}
