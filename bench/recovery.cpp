#include "kills.hpp"
#include "live_site.hpp"
#include "parts.hpp"

namespace rltune::bench {

Rows recovery(double repetitions) {
  std::vector<double> agent, io, twin, learner;
  testing::PilotSite site(live_options(true));
  site.start();
  for (int i = 0; i < static_cast<int>(repetitions); ++i) {
    agent.push_back(ms_after_killing(site, "agent.climate"));
    learner.push_back(ms_after_killing(site, "learner.climate"));
    io.push_back(ms_after_killing(site, "io"));
    twin.push_back(ms_after_restarting_twin(site));
    std::this_thread::sleep_for(std::chrono::seconds(11));  // who ran for ten seconds starts again without delay
  }
  return {slowest("agent killed, deciding again; slowest", "ms", agent, 1000.0),
          slowest("learner killed, the next decision; slowest", "ms", learner, 1000.0),
          slowest("io killed, deciding again; slowest", "ms", io),
          slowest("twin killed and back, deciding again after its return; slowest", "ms", twin, 2000.0)};
}

}  // namespace rltune::bench
