// What the fields of a site must be to each other: references, owners, limits, expressions.
#pragma once

#include <string_view>

#include "faults.hpp"
#include "rltune/config/site.hpp"

namespace rltune::config {

void check_site(const Site& site, Faults& faults);
void check_gateway(const Gateway& gateway, Faults& faults);

// Ids of agents and names of sites, users and interlocks appear in paths, endpoints and logs.
bool is_identifier(std::string_view text);

}  // namespace rltune::config
