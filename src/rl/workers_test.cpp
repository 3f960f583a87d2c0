#include "rltune/rl/workers.hpp"

#include <gtest/gtest.h>

#include <array>

namespace rltune::rl {
namespace {

TEST(Workers, each_shard_runs_once_a_call_whatever_the_threads) {
  for (const std::size_t threads : {1, 2, 5}) {
    Workers workers(threads);
    std::array<int, kShards> calls{};
    for (int i = 0; i < 3'000; ++i) {
      workers.run([&](std::size_t shard) { ++calls[shard]; });
      ASSERT_EQ(calls[0], i + 1);
      ASSERT_EQ(calls[1], i + 1);
    }
  }
}

}  // namespace
}  // namespace rltune::rl
