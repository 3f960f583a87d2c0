// What the door costs a call: limits and tokens.
#include <benchmark/benchmark.h>

#include <format>

#include "rltune/access/rate_limiter.hpp"
#include "rltune/access/verified_tokens.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

const WallClock kClock;

struct Door {
  TemporaryFolder folder;
  std::unique_ptr<KeyRing> keys = KeyRing::open({.file = folder.path() / "keys"}, kClock).value();
  VerifiedTokens tokens{*keys, {.issuer = "rltune/pilot", .audience = "pilot"}};
  RateLimiter limiter{{.per_second = 1e9, .burst = 1e9}};

  std::string token(const std::string& id) const {
    return make_token(
        {"rltune/pilot", "ada", "pilot", id, "s1", "operator", kClock.now(), kClock.now() + std::chrono::hours(1)},
        *keys);
  }
};

void a_token_seen_before(benchmark::State& state) {
  Door door;
  const std::string token = door.token("t1");
  for (auto _ : state) benchmark::DoNotOptimize(door.tokens.verify(token, kClock.now()));
}
BENCHMARK(a_token_seen_before);

void a_new_token(benchmark::State& state) {
  Door door;
  std::vector<std::string> tokens;
  for (int i = 0; i < 5'000; ++i) tokens.push_back(door.token(std::to_string(i)));
  std::size_t next = 0;
  for (auto _ : state) {
    // The key ring alone, so that none is remembered.
    benchmark::DoNotOptimize(
        verify_token(tokens[next], *door.keys, {.issuer = "rltune/pilot", .audience = "pilot"}, kClock.now()));
    next = (next + 1) % tokens.size();
  }
}
BENCHMARK(a_new_token);

void a_limit_of_one_of_many_callers(benchmark::State& state) {
  Door door;
  std::vector<std::string> callers;
  for (int i = 0; i < 10'000; ++i) callers.push_back(std::format("10.0.{}.{}", i / 256, i % 256));
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(door.limiter.take(callers[next], kClock.steady()));
    next = (next + 1) % callers.size();
  }
}
BENCHMARK(a_limit_of_one_of_many_callers);

}  // namespace
}  // namespace rltune::access
