#include "rltune/base/trace.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "rltune/base/log.hpp"
#include "rltune/base/random.hpp"

namespace rltune::trace {
namespace {

using namespace std::chrono_literals;

// The example of the specification.
constexpr std::string_view kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::vector<Record> taken() {
  std::vector<Record> records(4096);
  records.resize(take(records));
  return records;
}

constexpr std::size_t kRoom = 1'024;

class TraceTest : public ::testing::Test {
 protected:
  TraceTest() { start({.sample_ratio = 1.0, .records_max = kRoom}); }
  ~TraceTest() override {
    stop();
    taken();
  }
};

TEST(TraceContext, is_read_and_written_as_the_specification_has_it) {
  const Context context = parse(kExample);
  ASSERT_TRUE(context.valid());
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(to_text(context), kExample);
  EXPECT_EQ(trace_id_of(context), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_FALSE(parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").sampled);
  EXPECT_TRUE(parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff").sampled) << "flags to come";
  EXPECT_TRUE(parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").valid()) << "versions to come";
  EXPECT_TRUE(parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what").valid());
}

TEST(TraceContext, what_is_damaged_or_unknown_is_none) {
  for (const char* text : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
                           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what",
                           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    const Context context = parse(text);
    EXPECT_FALSE(context.valid()) << text;
    EXPECT_FALSE(context.sampled) << text;
    EXPECT_EQ(to_text(context), "") << text;
  }
}

TEST(TraceContext, any_bytes_are_a_context_or_none) {
  Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kExample);
    for (std::uint64_t change = random.below(3) + 1; change > 0; --change)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    text.resize(random.below(4) == 0 ? random.below(text.size() + 1) : text.size());
    const Context context = parse(text);
    if (context.valid()) {
      EXPECT_EQ(parse(to_text(context)), context);
    }
  }
}

TEST(Text, is_cut_between_two_characters) {
  EXPECT_EQ(Text("abc").view(), "abc");
  EXPECT_EQ(Text(std::string(70, 'x')).view(), std::string(63, 'x'));
  EXPECT_EQ(Text(std::string(62, 'x') + "é").view(), std::string(62, 'x'));
}

TEST(Trace, off_nothing_is_recorded) {
  ASSERT_FALSE(on());
  Span span = Span::root("decision");
  EXPECT_FALSE(span);
  EXPECT_FALSE(span.context().valid());
  EXPECT_FALSE(Span::child_of(parse(kExample), "io.Propose"));
  EXPECT_TRUE(taken().empty());
}

TEST_F(TraceTest, a_child_has_its_parents_trace) {
  Span decision = Span::root("decision");
  ASSERT_TRUE(decision);
  const Context root = decision.context();
  {
    const Scope within(root);
    Span verdict = Span::child("verdict", Kind::server);
    verdict.set("rltune.agent", "climate").set("rltune.outputs", 3.0).fail("not you");
  }
  decision.end();
  const std::vector<Record> records = taken();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].name.view(), "verdict");
  EXPECT_EQ(records[0].kind, Kind::server);
  EXPECT_EQ(records[0].context.trace_id, root.trace_id);
  EXPECT_EQ(records[0].parent, root.span_id);
  EXPECT_NE(records[0].context.span_id, root.span_id);
  EXPECT_TRUE(records[0].failed);
  EXPECT_EQ(records[0].reason.view(), "not you");
  ASSERT_EQ(records[0].attributes_count, 2U);
  EXPECT_EQ(records[0].attributes[0].text.view(), "climate");
  EXPECT_EQ(records[0].attributes[1].number, 3.0);
  EXPECT_EQ(records[1].parent, SpanId());
  EXPECT_GE(records[1].took, records[0].took);
  EXPECT_LE(records[1].start, records[0].start);
  EXPECT_FALSE(current().valid());
}

TEST_F(TraceTest, who_was_not_sampled_stays_so) {
  Context parent = parse(kExample);
  parent.sampled = false;
  const Scope within(parent);
  EXPECT_FALSE(Span::child("io.Propose"));
}

TEST_F(TraceTest, a_step_that_was_timed_as_it_happened_keeps_its_times) {
  const auto before = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  Span::child_of(parse(kExample), "write").end(50ms, 20ms);
  const std::vector<Record> records = taken();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].took, 20ms);
  EXPECT_GE(records[0].start, before - 50ms);
  EXPECT_LT(records[0].start, before);
}

TEST_F(TraceTest, carries_the_correlation_id_of_the_call_that_is_served) {
  {
    const log::Correlation served("0198");
    Span::child_of(parse(kExample), "first").end();
    Span::child_of(parse(kExample), "second").correlate("0199").end();
  }
  const std::vector<Record> records = taken();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].correlation_id.view(), "0198");
  EXPECT_EQ(records[1].correlation_id.view(), "0199");
}

TEST_F(TraceTest, what_finds_no_room_is_counted) {
  const std::uint64_t before = dropped();
  for (std::size_t i = 0; i < kRoom + 3; ++i) Span::root("decision").end();
  EXPECT_EQ(taken().size(), kRoom);
  EXPECT_EQ(dropped() - before, 3U);
  Span::root("decision").end();
  EXPECT_EQ(taken().size(), 1U);
}

TEST_F(TraceTest, the_ratio_is_that_of_the_traces) {
  start({.sample_ratio = 0.25});
  int begun = 0;
  for (int i = 0; i < 10'000; ++i) begun += Span::root("decision") ? 1 : 0;
  EXPECT_NEAR(begun, 2'500, 217);  // five standard deviations
  start({.sample_ratio = 0.0});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(Span::root("decision"));
}

TEST_F(TraceTest, threads_lose_and_repeat_nothing) {
  constexpr int kThreads = 4, kEach = 20'000;
  const std::uint64_t before = dropped();
  std::set<SpanId> ids;
  std::atomic<int> running = kThreads;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&running] {
        for (int i = 0; i < kEach; ++i) Span::root("decision").end();
        --running;
      });
    while (true) {
      const bool last = running == 0;
      for (const Record& record : taken()) EXPECT_TRUE(ids.insert(record.context.span_id).second);
      if (last) break;
    }
  }
  EXPECT_EQ(ids.size() + dropped() - before, static_cast<std::size_t>(kThreads) * kEach);
}

}  // namespace
}  // namespace rltune::trace
