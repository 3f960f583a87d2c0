#include "replay.hpp"

#include <gtest/gtest.h>

namespace rltune::rl {
namespace {

struct OneStep {
  float observation, action, reward, next;
  std::uint8_t terminated = 0, truncated = 0;
};

void feed(NStep& window, Replay& replay, const OneStep& s) {
  window.observe(
      {{&s.observation, 1}, {&s.action, 1}, {&s.reward, 1}, {&s.next, 1}, {&s.terminated, 1}, {&s.truncated, 1}}, 2.0F,
      replay);
}

TEST(Replay, keeps_the_latest_when_full) {
  Replay replay(1, 1, 3);
  for (int i = 0; i < 5; ++i) {
    const float value = static_cast<float>(i);
    replay.add({{&value, 1}, {&value, 1}, {&value, 1}, value, 0.5F});
  }
  ASSERT_EQ(replay.size(), 3U);
  EXPECT_EQ(replay[0].reward, 3.0F);
  EXPECT_EQ(replay[1].reward, 4.0F);
  EXPECT_EQ(replay[2].reward, 2.0F);
  EXPECT_EQ(replay[0].observation[0], 3.0F);
  EXPECT_EQ(replay[0].discount, 0.5F);
}

TEST(NStep, rewards_are_summed_with_discount_over_n_steps) {
  Replay replay(1, 1, 10);
  NStep window(1, 1, 1, 3, 0.5);
  for (int i = 0; i < 4; ++i) feed(window, replay, {static_cast<float>(i), 0.1F, 1.0F, static_cast<float>(i + 1)});
  ASSERT_EQ(replay.size(), 2U);
  EXPECT_FLOAT_EQ(replay[0].reward, 2.0F * 1.75F);
  EXPECT_FLOAT_EQ(replay[0].discount, 0.125F);
  EXPECT_EQ(replay[0].observation[0], 0.0F);
  EXPECT_EQ(replay[0].next_observation[0], 3.0F);
  EXPECT_EQ(replay[1].observation[0], 1.0F);
  EXPECT_EQ(replay[1].next_observation[0], 4.0F);
}

TEST(NStep, truncation_keeps_a_discount_and_termination_leaves_none) {
  for (const bool terminated : {false, true}) {
    Replay replay(1, 1, 10);
    NStep window(1, 1, 1, 3, 0.5);
    feed(window, replay, {0.0F, 0.0F, 1.0F, 1.0F});
    feed(window, replay, {1.0F, 0.0F, 1.0F, 2.0F, terminated, !terminated});
    feed(window, replay, {9.0F, 0.0F, 1.0F, 10.0F});  // the next episode does not leak into the last
    ASSERT_EQ(replay.size(), 2U);
    EXPECT_FLOAT_EQ(replay[0].reward, 2.0F * 1.5F);
    EXPECT_FLOAT_EQ(replay[1].reward, 2.0F);
    EXPECT_FLOAT_EQ(replay[0].discount, terminated ? 0.0F : 0.25F);
    EXPECT_FLOAT_EQ(replay[1].discount, terminated ? 0.0F : 0.5F);
    EXPECT_EQ(replay[0].next_observation[0], 2.0F);
  }
}

}  // namespace
}  // namespace rltune::rl
