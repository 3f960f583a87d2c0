// What the verbs of data sets share.
#pragma once

#include <nlohmann/json.hpp>

#include "rltune/dataset/dataset.hpp"

namespace rltune::lab {

nlohmann::ordered_json described(const dataset::Dataset& data);
// What is in it, for a person or as one JSON object.
void tell(const dataset::Dataset& data, bool json);

}  // namespace rltune::lab
