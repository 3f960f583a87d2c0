#include "marks.hpp"

#include <gtest/gtest.h>

#include <set>

#include "received.hpp"
#include "rltune/base/random.hpp"

namespace rltune::receive {
namespace {

TEST(Spans, they_have_what_was_added_in_any_order) {
  Random random(1);
  for (int turn = 0; turn < 200; ++turn) {
    Spans spans;
    std::set<std::uint64_t> model;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t first = 1 + random.below(60), last = first + random.below(8);
      spans.add({first, last});
      for (std::uint64_t number = first; number <= last; ++number) model.insert(number);
      for (std::uint64_t number = 0; number <= 80; ++number) ASSERT_EQ(spans.has(number), model.contains(number));
      std::uint64_t before = 0;
      for (const auto& [begin, end] : spans.all()) {
        ASSERT_TRUE(begin <= end && (before == 0 || begin > before + 1)) << "they touch";
        before = end;
      }
    }
  }
}

TEST(Marks, they_are_read_as_they_were_written_and_damage_is_seen) {
  Marks marks;
  marks["logs"].upto = 120;
  marks["logs"].taken["a"].add({1, 80});
  marks["logs"].taken["a"].add({91, 130});
  marks["metrics"].upto = 0;
  const std::string text = to_text(marks);
  const auto read = parse_marks(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), text);
  EXPECT_TRUE(read->at("logs").taken.at("a").has(130));
  EXPECT_FALSE(read->at("logs").taken.at("a").has(85));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] ^= 1;
    EXPECT_FALSE(parse_marks(damaged)) << i;
    EXPECT_FALSE(parse_marks(text.substr(0, i))) << i;
  }
}

TEST(Received, a_batch_with_gaps_is_covered_whole) {
  forward::Batch batch{.buffer_id = "b", .site = "north", .stream = "logs", .range = {10, 20}};
  for (const std::uint64_t sequence : {12U, 13U, 17U})
    batch.records.push_back({sequence, forward::record_id("b", "logs", sequence), "north", 5, R"({"message":"\"ü"})"});
  const auto all = received_of(batch);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].covers, (telemetry::SequenceRange{10, 12}));
  EXPECT_EQ(all[1].covers, (telemetry::SequenceRange{13, 13}));
  EXPECT_EQ(all[2].covers, (telemetry::SequenceRange{14, 20}));
  const auto read = parse_received(to_payload(all[2]));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->covers, all[2].covers);
  EXPECT_EQ(read->record.id, "b-logs-17");
  EXPECT_EQ(read->record.unix_ns, 5);
  EXPECT_EQ(read->record.entry, batch.records[2].entry);
}

}  // namespace
}  // namespace rltune::receive
