// What a change of a file lets happen that the file of before did not: the guard's limits, what its interlocks see, and
// who could agree to a change of them. Nobody may bring that about alone. What is not plainly as strict as before
// counts.
#pragma once

#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

// One a field, for people: "guard.outputs[heating].limits: 0 to 150 becomes 0 to 200". Empty: the change loosens
// nothing. An empty `was` is a file that did not exist. Errors: invalid_argument when one is not valid, or they differ
// in kind.
Result<std::vector<std::string>> loosened(const std::string& was, const std::string& is);

}  // namespace rltune::config
