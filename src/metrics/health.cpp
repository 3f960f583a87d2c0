#include "rltune/metrics/health.hpp"

#include <unistd.h>

#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/version.hpp"

namespace rltune::metrics {

Health::Health(std::string role, const Clock& clock, Duration silence_max)
    : role_(std::move(role)), clock_(clock), silence_max_(silence_max), reported_(clock.steady()) {}

void Health::report(const std::vector<Check>& checks) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  checks_ = checks;
  reported_ = clock_.steady();
}

Health::Answer Health::answer() const {
  std::vector<Check> checks;
  Duration silence{};
  {
    const std::lock_guard lock(mutex_);
    checks = checks_;
    silence = clock_.steady() - reported_;
  }
  const bool hung = silence > silence_max_;
  checks.insert(checks.begin(), {"loop", !hung, hung ? std::format("silent for {:.1f} s", to_seconds(silence)) : ""});
  Answer answer{.healthy = std::ranges::all_of(checks, &Check::ok), .json = {}};
  nlohmann::ordered_json out{{"status", answer.healthy ? "ok" : "failing"},
                             {"role", role_},
                             {"pid", ::getpid()},
                             {"version", std::string(version())},
                             {"time", format_rfc3339(clock_.now())}};
  out["checks"] = nlohmann::ordered_json::object();
  for (const Check& check : checks) {
    nlohmann::ordered_json entry{{"ok", check.ok}};
    if (!check.detail.empty()) entry["detail"] = check.detail;
    out["checks"][check.name] = std::move(entry);
  }
  answer.json = out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return answer;
}

}  // namespace rltune::metrics
