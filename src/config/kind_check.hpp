// What the fields of a file must be to each other, after each was read by itself. check_site() is the site's.
#pragma once

#include "faults.hpp"
#include "rltune/config/alerts.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/config/users.hpp"
#include "site_check.hpp"

namespace rltune::config {

void check_users(const Users& users, Faults& faults);
void check_alerts(const Alerts& alerts, Faults& faults);
void check_telemetry(const Telemetry& telemetry, Faults& faults);

// One name a kind of file, for templates.
inline void check_fields(const Site& site, Faults& faults) { check_site(site, faults); }
inline void check_fields(const Users& users, Faults& faults) { check_users(users, faults); }
inline void check_fields(const Retention&, Faults&) {}  // no field depends on another
inline void check_fields(const Alerts& alerts, Faults& faults) { check_alerts(alerts, faults); }
inline void check_fields(const Telemetry& telemetry, Faults& faults) { check_telemetry(telemetry, faults); }

}  // namespace rltune::config
