#include "parts.hpp"
#include "pilot_site.hpp"

namespace rltune::bench {

Rows season(double repetitions) {
  constexpr int kDays = 40;
  std::vector<double> seconds;
  for (int i = 0; i < static_cast<int>(repetitions); ++i) {
    testing::PilotSite site(
        {.days = kDays, .twin_arguments = {"--days", std::to_string(kDays), "--forecast-leads", "0"}});
    site.start();
    const auto step = [&](double wanted) { return site.value("clock_step") >= wanted; };
    if (!testing::PilotSite::eventually([&] { return step(1.0); }, std::chrono::seconds(30)))
      give_up(site.everything());
    const auto begin = std::chrono::steady_clock::now();
    if (!testing::PilotSite::eventually([&] { return step(48.0 * kDays); }, std::chrono::minutes(5)))
      give_up(site.everything());
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  Rows rows{repeated("a season of 40 days, 1920 steps, over encrypted OPC UA", "s", seconds)};
  rows.push_back(single("of it a step: plant, sample, decision, verdict, write, read back, record", "ms",
                        quantile(seconds, 0.5) / 1.92));
  return rows;
}

}  // namespace rltune::bench
