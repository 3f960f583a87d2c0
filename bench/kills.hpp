// kill -9 of a live site's processes, and how long it takes until the policy's decisions reach the plant again.
#pragma once

#include "pilot_site.hpp"

namespace rltune::bench {

// 0 when it does not run.
pid_t process_of(testing::PilotSite& site, const std::string& role);

// Milliseconds by the wall clock of the decision records; 30000 when nothing came within 30 s.
double ms_after_killing(testing::PilotSite& site, const std::string& role);
// Counted from the twin's own "ready": how long it was away is not the site's time.
double ms_after_restarting_twin(testing::PilotSite& site);

}  // namespace rltune::bench
