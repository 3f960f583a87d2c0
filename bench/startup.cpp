#include "live_site.hpp"
#include "parts.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

double ms_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

double run_ms(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{std::string(RLTUNE_BIN_DIR) + "/rltune"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto begin = steady_clock::now();
  testing::ChildProcess process(command);
  while (process.read_line(10s)) {
  }
  if (process.wait(10s) != 0) give_up("rltune " + arguments.front() + " failed");
  return ms_since(begin);
}

}  // namespace

Rows startup(double repetitions) {
  std::vector<double> help, plants, site_ms;
  for (int i = 0; i < static_cast<int>(repetitions); ++i) {
    help.push_back(run_ms({"--help"}));
    plants.push_back(run_ms({"plant", "list"}));
  }
  for (int i = 0; i < 5; ++i) {
    testing::PilotSite site(live_options(false));
    site.start_twin();
    site.write_site();
    const auto begin = steady_clock::now();
    site.start_up();
    if (!testing::PilotSite::eventually([&] { return site.decisions() > 0; }, 30s)) give_up(site.everything());
    site_ms.push_back(ms_since(begin));
  }
  return {repeated("rltune --help", "ms", help), repeated("rltune plant list", "ms", plants),
          repeated("rltune up to the first decision: keeper, coredinator, io, encrypted link, agent", "ms", site_ms)};
}

}  // namespace rltune::bench
