// What a site without an alerts.yaml watches: deploy/alerts.yaml, which is also where its own begins.
#pragma once

#include <string_view>

#include "rltune/config/alerts.hpp"

namespace rltune::alerts {

std::string_view default_rules_yaml() noexcept;
// They tell the log. Where nobody asks the roles for their figures, that those are absent says nothing: such rules are
// left out.
config::Alerts default_rules(bool roles_are_asked = true);

}  // namespace rltune::alerts
