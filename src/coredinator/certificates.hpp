// Every certificate that the site uses, in one list, with its end in a figure that alerts watch. Threads: one.
#pragma once

#include <filesystem>

#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::coredinator {

// As they lie there now. One that cannot be read is listed with its trouble; one that is not made yet is not there.
v1::CertificatesAnswer list_certificates(const config::Site& site, const config::Telemetry& telemetry);

// Says the days left of each: rltune_role_certificate_days_left; and whether one waits to be trusted:
// rltune_role_certificate_waiting.
void show_certificates(const v1::CertificatesAnswer& certificates, metrics::Registry& registry, TimePoint now);

}  // namespace rltune::coredinator
