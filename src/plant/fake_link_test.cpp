#include "fake_link.hpp"

#include <gtest/gtest.h>

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;

const std::vector<TagBinding> kTags = {{.name = "temperature"}, {.name = "valve", .writable = true}};
const TimePoint kNow{};

TEST(FakeLink, returns_scripted_samples_in_order) {
  FakeLink link;
  ASSERT_TRUE(link.open(kTags));
  link.push(0, 20.5, kNow);
  link.push(0, 21.0, kNow + 1s);
  std::array<Sample, 4> out;
  ASSERT_EQ(link.poll(out, 0ms), 2u);
  EXPECT_EQ(out[0].value, 20.5);
  EXPECT_EQ(out[1].value, 21.0);
  EXPECT_EQ(link.poll(out, 0ms), 0u);
}

TEST(FakeLink, records_writes_and_refuses_what_a_link_refuses) {
  FakeLink link;
  ASSERT_TRUE(link.open(kTags));
  const std::array<std::uint32_t, 3> tags{1, 0, 1};
  const std::array<double, 3> values{0.5, 1.0, std::numeric_limits<double>::quiet_NaN()};
  std::array<WriteOutcome, 3> outcomes;
  ASSERT_TRUE(link.write(tags, values, outcomes));
  EXPECT_TRUE(outcomes[0].accepted && outcomes[0].verified);
  EXPECT_FALSE(outcomes[1].accepted);
  EXPECT_FALSE(outcomes[2].accepted);
  EXPECT_EQ(link.writes().size(), 1u);
  EXPECT_EQ(link.last_write(1), 0.5);
}

TEST(FakeLink, an_outage_shows_as_bad_samples_and_stops_writes) {
  FakeLink link;
  ASSERT_TRUE(link.open(kTags));
  link.lose(kNow);
  std::array<Sample, 4> out;
  ASSERT_EQ(link.poll(out, 0ms), 2u);
  EXPECT_EQ(out[0].quality, Quality::bad);
  std::array<WriteOutcome, 1> outcomes;
  EXPECT_FALSE(link.write(std::array<std::uint32_t, 1>{1}, std::array{0.5}, outcomes));
  link.restore();
  EXPECT_TRUE(link.write(std::array<std::uint32_t, 1>{1}, std::array{0.5}, outcomes));
  EXPECT_EQ(link.status().reconnects, 1u);
}

}  // namespace
}  // namespace rltune::plant
