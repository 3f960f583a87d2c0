#include "unsent_tally.hpp"

#include <gtest/gtest.h>

#include "simulated_disk.hpp"

namespace rltune::telemetry {
namespace {

std::uint64_t records_under(SimulatedDisk& disk, std::uint64_t floor) {
  UnsentTally tally;
  EXPECT_TRUE(tally.open(*disk.storage(), floor));
  return tally.records();
}

TEST(UnsentTally, holds_once_the_floor_does) {
  SimulatedDisk disk(1);
  const auto storage = disk.storage();
  UnsentTally tally;
  ASSERT_TRUE(tally.open(*storage, 1));
  ASSERT_TRUE(tally.prepare(*storage, 10, 5));
  EXPECT_EQ(tally.records(), 0U);
  EXPECT_EQ(records_under(disk, 1), 0U);
  EXPECT_EQ(records_under(disk, 10), 5U);
  tally.settle();
  EXPECT_EQ(tally.records(), 5U);
  ASSERT_TRUE(tally.prepare(*storage, 20, 7));
  EXPECT_EQ(records_under(disk, 10), 5U);
  EXPECT_EQ(records_under(disk, 20), 12U);
}

// The watermark could not be written; then the sinks took what would have gone, and it went.
TEST(UnsentTally, a_retention_that_did_not_happen_never_counts) {
  SimulatedDisk disk(1);
  const auto storage = disk.storage();
  UnsentTally tally;
  ASSERT_TRUE(tally.open(*storage, 1));
  ASSERT_TRUE(tally.prepare(*storage, 10, 5));
  ASSERT_TRUE(tally.prepare(*storage, 20, 0));
  tally.settle();
  EXPECT_EQ(records_under(disk, 20), 0U);
  UnsentTally restarted;
  ASSERT_TRUE(tally.prepare(*storage, 30, 4));
  ASSERT_TRUE(restarted.open(*storage, 20));
  ASSERT_TRUE(restarted.prepare(*storage, 40, 0));
  restarted.settle();
  EXPECT_EQ(records_under(disk, 40), 0U);
}

}  // namespace
}  // namespace rltune::telemetry
