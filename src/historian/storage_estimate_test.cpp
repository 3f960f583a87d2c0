#include "storage_estimate.hpp"

#include <gtest/gtest.h>

namespace rltune::historian {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHour = 3'600'000'000'000;

SegmentInfo segment(std::int64_t first_hour, std::int64_t last_hour, std::int64_t samples) {
  SegmentInfo info;
  info.samples = samples;
  info.first_received = first_hour * kHour;
  info.last_received = last_hour * kHour;
  return info;
}

TEST(StorageEstimate, rate_is_that_of_the_last_day) {
  const std::vector<SegmentInfo> segments{segment(0, 100, 1'000'000), segment(100, 112, 1200), segment(112, 124, 2400)};
  EXPECT_DOUBLE_EQ(raw_bytes_per_day(segments, 10.0), 36'000.0);
  EXPECT_DOUBLE_EQ(raw_bytes_per_day(std::vector{segment(0, 6, 600)}, 10.0), 24'000.0);
  EXPECT_EQ(raw_bytes_per_day({}, 10.0), 0.0);
}

TEST(StorageEstimate, retention_lets_it_settle) {
  const StorageFigures figures{.raw_bytes = 1e6, .rollup_bytes = 0.0, .raw_bytes_per_day = 1e6, .tags = 0.0};
  const Retention week;
  EXPECT_NEAR(bytes_after(2.0, figures, week), 3e6, 1.0);
  EXPECT_NEAR(bytes_after(365.0, figures, week), 7.875e6, 1.0);
  EXPECT_TRUE(std::isinf(days_until_full(figures, week, 1e9)));
}

TEST(StorageEstimate, small_disk_ends_when_the_arithmetic_says) {
  const StorageFigures figures{.raw_bytes = 1e6, .rollup_bytes = 0.0, .raw_bytes_per_day = 1e6, .tags = 0.0};
  EXPECT_NEAR(days_until_full(figures, Retention{}, 3e6), 3.0, 1e-6);
  Retention limited;
  limited.bytes_max = 3'000'000;
  EXPECT_TRUE(std::isinf(days_until_full(figures, limited, 3e6)));
}

TEST(StorageEstimate, hours_are_kept_for_ever_and_fill_a_disk_at_last) {
  const StorageFigures figures{.raw_bytes = 0.0, .rollup_bytes = 0.0, .raw_bytes_per_day = 1e6, .tags = 1000.0};
  const double days = days_until_full(figures, Retention{}, 4e9);
  EXPECT_GT(days, 365.0);
  EXPECT_LT(days, 3650.0);
  EXPECT_NEAR(bytes_after(days, figures, Retention{}), 4e9, 1e3);
}

TEST(StorageEstimate, nothing_coming_in_fills_nothing) {
  const StorageFigures figures{.raw_bytes = 1e6, .rollup_bytes = 1e6, .raw_bytes_per_day = 0.0, .tags = 10.0};
  EXPECT_EQ(bytes_per_day(figures), 0.0);
  EXPECT_TRUE(std::isinf(days_until_full(figures, Retention{}, 10.0)));
}

}  // namespace
}  // namespace rltune::historian
