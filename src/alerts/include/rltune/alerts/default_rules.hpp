// What a site without an alerts.yaml watches: deploy/alerts.yaml, which is also where its own begins.
#pragma once

#include <string_view>

#include "rltune/config/alerts.hpp"

namespace rltune::alerts {

std::string_view default_rules_yaml() noexcept;
// They tell the log.
config::Alerts default_rules();

}  // namespace rltune::alerts
