// Whether rotating the keys that sign tokens makes anybody's token wrong.
#include <thread>

#include "gateway_parts.hpp"
#include "http_load.hpp"
#include "served_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSenders = 32;
constexpr auto kEvery = 500ms;  // a rotation

std::string request_with(const std::string& token) {
  return std::format(
      "GET /api/v1/agents/climate/health HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", token);
}

// The tokens that callers hold: one more after each rotation, none goes.
class Tokens {
 public:
  explicit Tokens(const std::string& first) { add(first); }
  void add(const std::string& token) {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request_with(token));
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
void rotate(const ServedSite& site, nlohmann::json tokens, Tokens& held, int rotations, std::atomic<bool>& done) {
  for (int i = 0; i < rotations; ++i) {
    site.call("/keys/rotations", {{"reason", "a rehearsal"}}, tokens["access_token"]);
    tokens = site.call("/auth/refresh", {{"refresh_token", tokens["refresh_token"]}});
    held.add(tokens["access_token"]);
    std::this_thread::sleep_for(kEvery);  // the pace of the rehearsal
  }
  done = true;
}

}  // namespace

Rows gateway_keys(double rotations) {
  ServedSite site;
  const nlohmann::json tokens = site.sign_in();
  Tokens held(tokens["access_token"]);
  const WallClock clock;
  std::uint64_t answered = 0;
  Duration begin = clock.steady();
  const auto count = [&](const HttpLoad::Answer& answer) { answered += answer.status == 200 ? 1 : 0; };
  HttpLoad flood({.port = site.port(), .tls = true}, kSenders);
  flood.run([&](std::size_t) { return clock.steady() - begin < 2s ? held.next() : std::string(); }, count, 10s);
  const double saturation = static_cast<double>(answered) / to_seconds(clock.steady() - begin);
  std::map<int, std::uint64_t> statuses;
  std::atomic<bool> done = false;
  begin = clock.steady();
  std::jthread rotating([&] { rotate(site, tokens, held, static_cast<int>(rotations), done); });
  HttpLoad load({.port = site.port(), .tls = true}, kSenders);
  auto due = std::chrono::steady_clock::now();
  const auto apart = std::chrono::nanoseconds(static_cast<std::int64_t>(2e9 / saturation));
  load.run(
      [&](std::size_t) {
        due += apart;
        std::this_thread::sleep_until(due);
        return done ? std::string() : held.next();
      },
      [&](const HttpLoad::Answer& answer) { ++statuses[answer.status]; }, 10min);
  const double seconds = to_seconds(clock.steady() - begin);
  std::uint64_t others = 0, all = 0;
  for (const auto& [status, times] : statuses) {
    all += times;
    others += status == 200 || status == 401 ? 0 : times;
  }
  return {single("calls a second it can answer", "calls/s", saturation),
          single("calls a second while keys rotated", "calls/s", static_cast<double>(all) / seconds),
          single("rotations", "", rotations),
          single("calls answered", "", static_cast<double>(statuses[200])),
          single("wrong 401", "", static_cast<double>(statuses[401]), 0.0),
          single("other answers", "", static_cast<double>(others), 0.0)};
}

}  // namespace rltune::bench
