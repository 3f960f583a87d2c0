// Whether rotating the keys that sign tokens makes anybody's token wrong.
#include <thread>

#include "gateway_parts.hpp"
#include "served_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSenders = 32;
constexpr auto kEvery = 500ms;  // a rotation

// The tokens that callers hold: one more after each rotation, none goes.
class Tokens {
 public:
  explicit Tokens(const std::string& first) { add(first); }
  void add(const std::string& token) {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request_for(kAgentHealth, token));
  }
  std::string next() {
    const std::scoped_lock lock(mutex_);
    return requests_[next_++ % requests_.size()];
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::size_t next_ = 0;
};

// Each is signed by the key of then.
void rotate(const ServedSite& site, nlohmann::json tokens, Tokens& held, int rotations, std::atomic<int>& rotated) {
  while (rotated < rotations) {
    site.call("/keys/rotations", {{"reason", "a rehearsal"}}, tokens["access_token"]);
    tokens = site.call("/auth/refresh", {{"refresh_token", tokens["refresh_token"]}});
    held.add(tokens["access_token"]);
    std::this_thread::sleep_for(kEvery);  // the pace of the rehearsal
    ++rotated;
  }
}

}  // namespace

Rows gateway_keys(double amount) {
  const auto rotations = static_cast<int>(amount);
  ServedSite site;
  const nlohmann::json tokens = site.sign_in();
  Tokens held(tokens["access_token"]);
  const double saturation = measure_calls(site.port(), kSenders, [&] { return held.next(); }, 2s).per_s;
  std::map<int, std::uint64_t> statuses;
  std::atomic<int> rotated = 0;
  const WallClock clock;
  const Duration begin = clock.steady(), longest = from_seconds(60.0 + 4.0 * amount);
  std::jthread rotating([&] { rotate(site, tokens, held, rotations, rotated); });
  HttpLoad load({.port = site.port(), .tls = true}, kSenders);
  auto due = std::chrono::steady_clock::now();
  const auto apart = std::chrono::nanoseconds(static_cast<std::int64_t>(2e9 / saturation));
  load.run(
      [&](std::size_t) {
        due += apart;
        std::this_thread::sleep_until(due);
        return rotated < rotations ? held.next() : std::string();
      },
      [&](const HttpLoad::Answer& answer) { ++statuses[answer.status]; }, longest);
  const double seconds = to_seconds(clock.steady() - begin);
  std::uint64_t others = 0, all = 0;
  for (const auto& [status, times] : statuses) {
    all += times;
    others += status == 200 || status == 401 ? 0 : times;
  }
  Row made = single("rotations", "", rotated, amount);
  made.least = true;
  return {single("calls a second it can answer", "calls/s", saturation),
          single("calls a second while keys rotated", "calls/s", static_cast<double>(all) / seconds),
          made,
          single("calls answered", "", static_cast<double>(statuses[200])),
          single("wrong 401", "", static_cast<double>(statuses[401]), 0.0),
          single("other answers", "", static_cast<double>(others), 0.0)};
}

}  // namespace rltune::bench
