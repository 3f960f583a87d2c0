// Alerts and notices as JSON, and back for the state that is kept. Reading throws nlohmann's exceptions.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "rltune/alerts/instance.hpp"

namespace rltune::alerts {

using Json = nlohmann::ordered_json;

Json json_of(double value);  // what is no number of JSON as "NaN", "+Inf", "-Inf"
Json json_of(const Acknowledgement& acknowledgement);
Json json_of(const Instance& instance);
Json json_of(const Notice& notice);
std::string text_of(const Json& json);

double double_of(const Json& json);
Acknowledgement acknowledgement_of(const Json& json);
Instance instance_of(const Json& json);
Notice notice_of(const Json& json);

}  // namespace rltune::alerts
