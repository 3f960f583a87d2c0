#include "rltune/io/instance_table.hpp"

#include <gtest/gtest.h>

namespace rltune::io {
namespace {

using std::chrono::seconds;

TEST(InstanceTable, the_agents_own_role_is_active_until_somebody_says_otherwise) {
  InstanceTable table("climate");
  EXPECT_EQ(table.active(), "agent.climate");
  EXPECT_EQ(table.epoch(), 0U);
  EXPECT_FALSE(table.attached());
  EXPECT_TRUE(table.is_active(table.attach(table.name_or_default(""), seconds(1))));
  EXPECT_TRUE(table.attached());
}

TEST(InstanceTable, a_word_that_is_older_than_the_last_changes_nothing) {
  InstanceTable table("climate");
  ASSERT_TRUE(table.activate("agent.climate@2.0.0", 2));
  EXPECT_FALSE(table.activate("agent.climate@1.0.0", 1));
  EXPECT_FALSE(table.activate("agent.climate@1.0.0", 2)) << "two words of one epoch";
  EXPECT_EQ(table.active(), "agent.climate@2.0.0");
  EXPECT_TRUE(table.activate("agent.climate@2.0.0", 2)) << "the same word again";
  EXPECT_TRUE(table.activate("agent.climate@1.0.0", 3));
  EXPECT_EQ(table.active(), "agent.climate@1.0.0");
}

TEST(RewardMoments, are_those_of_the_means_of_ten) {
  RewardMoments moments;
  for (int i = 0; i < 9; ++i) moments.add(100.0);
  EXPECT_EQ(moments.batches(), 0U);
  moments.add(100.0);
  for (int i = 0; i < 10; ++i) moments.add(i < 5 ? 102.0 : 106.0);  // 104
  for (int i = 0; i < 15; ++i) moments.add(108.0);
  EXPECT_EQ(moments.batches(), 3U);
  EXPECT_DOUBLE_EQ(moments.mean(), 104.0);
  EXPECT_DOUBLE_EQ(moments.squares(), 32.0);
}

TEST(InstanceTable, the_active_one_is_never_dropped_for_a_newcomer) {
  InstanceTable table("climate");
  table.attach("agent.climate", seconds(0)).validated = true;
  for (int version = 0; version < 50; ++version)
    table.attach("agent.climate@1.0." + std::to_string(version), seconds(1 + version));
  EXPECT_LE(table.all().size(), 8U);
  EXPECT_TRUE(table.attached() && table.validated());
  EXPECT_NE(table.find("agent.climate@1.0.49"), nullptr);
  EXPECT_EQ(table.find("agent.climate@1.0.0"), nullptr);
}

}  // namespace
}  // namespace rltune::io
