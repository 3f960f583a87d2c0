// The benchmarks of the telemetry role: the real process, in a folder of its own.
#pragma once

#include "parts.hpp"

namespace rltune::bench {

// Entries a second that are durable, in batches and one a request; so many seconds each.
Rows telemetry_speed(double seconds);
// The same records to rsyslog: so many where it does not sync its files, a twentieth of them where it does.
Rows telemetry_rsyslog(double records);
// So many kill -9 of the role under load: what it acknowledged is there, once by its id.
Rows telemetry_kills(double kills);
// So many simulated seconds offline at 1,000 records a second, then drained.
Rows telemetry_day(double seconds);

}  // namespace rltune::bench
