#include "parts.hpp"
#include "random_turn.hpp"

namespace rltune::bench {

Rows soak_guard(double seconds) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now();
  const auto first = static_cast<std::uint64_t>(begin.time_since_epoch().count());
  double days = 0.0, writes = 0.0, breaches = 0.0;
  for (std::uint64_t seed = first; std::chrono::duration<double>(steady_clock::now() - begin).count() < seconds;
       ++seed) {
    Random random(seed);
    guard::GuardChecker checker;
    for (Duration day{}; day < std::chrono::hours(24);) {
      const guard::GuardChecker::Turn turn = guard::random_turn(random);
      day += turn.wait;
      const auto breach = checker.turn(turn);
      if (!breach) continue;
      ++breaches;
      std::println(stderr, "soak: {}, seed {}, after {} s", *breach, seed, to_seconds(day));
      break;
    }
    ++days;
    writes += static_cast<double>(checker.writes());
  }
  return {single("guard: simulated days of a random policy", "", days),
          single("guard: writes it let through", "", writes),
          single("guard: days with a breach of any rule", "", breaches, 0.0)};
}

}  // namespace rltune::bench
