// What the fields of a site must be to each other: references, owners, limits, expressions.
#pragma once

#include "faults.hpp"
#include "rltune/config/site.hpp"

namespace rltune::config {

void check_site(const Site& site, Faults& faults);

}  // namespace rltune::config
