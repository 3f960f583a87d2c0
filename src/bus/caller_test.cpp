#include "rltune/bus/caller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "answers.hpp"
#include "dying_server.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/base/trace.hpp"
#include "serving.hpp"
#include "temporary_folder.hpp"

namespace rltune::bus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kPatience = 20s;

class CallerTest : public testing::Test {
 protected:
  static CallOptions to(const std::string& method, const std::string& target, std::chrono::milliseconds timeout = 20s) {
    return {.method = method, .target = target, .correlation_id = {}, .token = {}, .timeout = timeout};
  }
  // Handlers of "hold" wait until the test lets them go on.
  void serve_holding(Server& server) {
    serve_echo(server);
    server.handle("hold", [this](const Call&, std::string_view, std::string& answer) -> Result<> {
      holding_.release();
      EXPECT_TRUE(let_go_.try_acquire_for(kPatience));
      answer = "held";
      return {};
    });
  }
  std::function<void(Server&)> holding() {
    return [this](Server& server) { serve_holding(server); };
  }
  // Calls go to the role that they name.
  std::function<void(Server&)> forwarding() {
    return [this](Server& server) {
      server.forward([this](const Call& call) -> Result<std::string> {
        return call_endpoint(folder_.path().string(), call.target);
      });
    };
  }
  Caller connected(const std::string& endpoint, const CallerSettings& settings = {}) {
    auto made = Caller::connect(endpoint, settings);
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  TemporaryFolder folder_;
  std::string endpoint_ = call_endpoint(folder_.path().string(), "io");
  std::string front_ = call_endpoint(folder_.path().string(), "coredinator");
  std::counting_semaphore<> holding_{0}, let_go_{0};
};

TEST_F(CallerTest, each_answer_goes_to_its_own_call_whichever_thread_made_it) {
  constexpr std::size_t kThreads = 8, kEach = 1'000;
  const Serving serving(endpoint_, serve_echo);
  Answers answers(kThreads * kEach);
  Caller caller = connected(endpoint_, {.in_flight_max = kThreads * kEach});
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (std::size_t i = thread * kEach; i < (thread + 1) * kEach; ++i)
        caller.call(to("echo", "io"), "call " + std::to_string(i), answers.taker(i));
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(answers.wait_for_all());
  for (std::size_t i = 0; i < kThreads * kEach; ++i) {
    ASSERT_EQ(answers[i].result.value_or("none"), "call " + std::to_string(i));
    ASSERT_EQ(answers[i].times, 1);
    ASSERT_EQ(answers[i].thread, answers[0].thread);
  }
  EXPECT_NE(answers[0].thread, std::this_thread::get_id());
  EXPECT_EQ(caller.in_flight(), 0U);
}

TEST_F(CallerTest, an_answer_may_make_the_next_call) {
  const Serving serving(endpoint_, serve_echo);
  Answers last(1);
  Caller caller = connected(endpoint_, {.in_flight_max = 1});
  int left = 500;
  std::function<void(Result<std::string>)> next = [&](Result<std::string> answer) {
    if (!answer || --left == 0)
      last.taker(0)(std::move(answer));
    else
      caller.call(to("echo", "io"), *answer, next);
  };
  caller.call(to("echo", "io"), "again", next);
  ASSERT_TRUE(last.wait_for_all());
  EXPECT_EQ(last[0].result.value_or("none"), "again");
  EXPECT_EQ(left, 0);
}

TEST_F(CallerTest, a_handlers_error_comes_back_with_its_code) {
  const Serving serving(endpoint_, serve_echo);
  Answers answers(1);
  Caller caller = connected(endpoint_);
  caller.call(to("nonsense", "io"), "", answers.taker(0));
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.code(0), "not_found");
}

// How much later than its deadline each of many calls came back, in milliseconds.
std::vector<double> lateness_ms(Caller& caller, CallOptions options) {
  constexpr std::size_t kCalls = 200;
  Answers answers(kCalls);
  std::vector<Duration> due(kCalls);
  for (std::size_t i = 0; i < kCalls; ++i) {
    options.timeout = std::chrono::milliseconds(20 + i * 37 % kCalls);
    due[i] = WallClock().steady() + options.timeout;
    caller.call(options, "", answers.taker(i));
  }
  EXPECT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.count_of("timeout"), kCalls);
  std::vector<double> late_ms;
  for (std::size_t i = 0; i < kCalls; ++i) late_ms.push_back(to_seconds(answers[i].at - due[i]) * 1e3);
  return late_ms;
}

TEST_F(CallerTest, deadlines_are_kept_to_the_millisecond_in_whichever_order_they_come) {
  const Serving serving(endpoint_, holding());
  Caller caller = connected(endpoint_);
  Answers held(1);
  caller.call(to("hold", "io"), "", held.taker(0));
  double median_ms = 1e9;
  // A busy machine may make it late. It does not do so every time.
  for (int round = 0; round < 20 && median_ms >= 1.0; ++round) {
    const std::vector<double> late_ms = lateness_ms(caller, to("hold", "io"));
    EXPECT_GE(quantile(late_ms, 0.0), 0.0);
    median_ms = quantile(late_ms, 0.5);
  }
  EXPECT_LT(median_ms, 1.0);
  let_go_.release();
  EXPECT_TRUE(held.wait_for_all());
}

TEST_F(CallerTest, a_late_answer_is_dropped) {
  const Serving serving(endpoint_, holding());
  Answers answers(2);
  Caller caller = connected(endpoint_);
  caller.call(to("hold", "io", 30ms), "", answers.taker(0));
  ASSERT_TRUE(holding_.try_acquire_for(kPatience));
  ASSERT_TRUE(answers.wait_for(1));
  let_go_.release();
  // The server answers one after another: behind this one's answer the late one has been here.
  caller.call(to("echo", "io"), "mine", answers.taker(1));
  ASSERT_TRUE(answers.wait_for(2));
  EXPECT_EQ(answers.code(0), "timeout");
  EXPECT_EQ(answers[0].times, 1);
  EXPECT_EQ(answers[1].result.value_or("none"), "mine");
}

TEST_F(CallerTest, nobody_there_is_disconnected_at_the_deadline) {
  Answers answers(1);
  Caller caller = connected(endpoint_);
  const WallClock clock;
  const Duration start = clock.steady();
  caller.call(to("echo", "io", 60ms), "x", answers.taker(0));
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.code(0), "disconnected");
  EXPECT_GE(answers[0].at - start, 60ms);
}

TEST_F(CallerTest, who_comes_in_time_serves_what_waits) {
  Answers answers(3);
  Caller caller = connected(endpoint_);
  caller.call(to("echo", "io", 30ms), "too early", answers.taker(0));
  caller.call(to("echo", "io"), "first", answers.taker(1));
  caller.call(to("echo", "io"), "second", answers.taker(2));
  ASSERT_TRUE(answers.wait_for(1));
  const Serving serving(endpoint_, serve_echo);
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.code(0), "disconnected");
  EXPECT_EQ(answers[1].result.value_or("none"), "first");
  EXPECT_EQ(answers[2].result.value_or("none"), "second");
}

// Called when the server has just gone, and before the Caller's thread has seen it.
TEST_F(CallerTest, what_was_not_sent_when_the_server_went_away_goes_to_the_next_one) {
  bool served = false;
  // Whether it has been sent all the same is a matter of microseconds: then it is disconnected.
  for (int round = 0; round < 20 && !served; ++round) {
    auto first = std::make_unique<Serving>(endpoint_, holding());
    Answers after(1);
    std::binary_semaphore called(0);
    auto watcher = Client::connect(endpoint_);
    ASSERT_TRUE(watcher->call("echo", "io", "", 20s));
    Caller caller = connected(endpoint_);
    caller.call(to("hold", "io", 30ms), "", [&](const Result<std::string>&) {
      let_go_.release();
      first.reset();
      while (watcher->begin("echo", "io", "", 1s)) std::this_thread::yield();
      caller.call(to("echo", "io"), "after", after.taker(0));
      called.release();
    });
    ASSERT_TRUE(called.try_acquire_for(kPatience));
    const Serving second(endpoint_, serve_echo);
    ASSERT_TRUE(after.wait_for_all());
    served = after.code(0) == "answered";
  }
  EXPECT_TRUE(served);
}

TEST_F(CallerTest, more_than_are_allowed_under_way_are_refused_at_once) {
  constexpr std::size_t kMax = 10;
  const Serving serving(endpoint_, holding());
  Answers answers(kMax + 2);
  Caller caller = connected(endpoint_, {.in_flight_max = kMax});
  for (std::size_t i = 0; i < kMax; ++i) caller.call(to("hold", "io"), "", answers.taker(i));
  EXPECT_EQ(caller.in_flight(), kMax);
  EXPECT_EQ(answers.count(), 0U);
  caller.call(to("echo", "io"), "one more", answers.taker(kMax));
  EXPECT_EQ(answers.code(kMax), "no_space");
  EXPECT_EQ(answers[kMax].thread, std::this_thread::get_id());
  let_go_.release(kMax);
  ASSERT_TRUE(answers.wait_for(kMax + 1));
  EXPECT_EQ(answers.count_of("answered"), kMax);
  caller.call(to("echo", "io"), "now", answers.taker(kMax + 1));
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers[kMax + 1].result.value_or("none"), "now");
}

TEST_F(CallerTest, what_no_server_could_read_is_refused_and_harms_nobody) {
  const Serving serving(endpoint_, holding());
  Answers answers(4);
  Caller caller = connected(endpoint_);
  caller.call(to("hold", "io"), "", answers.taker(0));
  ASSERT_TRUE(holding_.try_acquire_for(kPatience));
  caller.call(to("echo", "io"), std::string(kMessageBytesMax + 1, 'x'), answers.taker(1));
  caller.call(to("echo", "\xff"), "", answers.taker(2));
  caller.call(to("echo", "io"), std::string(kMessageBytesMax, 'x'), answers.taker(3));
  let_go_.release();
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.code(0), "answered");
  EXPECT_EQ(answers.code(1), "invalid_argument");
  EXPECT_EQ(answers.code(2), "invalid_argument");
  EXPECT_EQ(answers[3].result.value_or("").size(), kMessageBytesMax);
}

TEST_F(CallerTest, what_is_under_way_when_it_ends_is_disconnected) {
  constexpr std::size_t kCalls = 50;
  Answers sent(kCalls), waiting(kCalls);
  {
    const Serving serving(endpoint_, holding());
    {
      Caller caller = connected(endpoint_), alone = connected(front_);
      for (std::size_t i = 0; i < kCalls; ++i) {
        caller.call(to("hold", "io"), "", sent.taker(i));
        alone.call(to("echo", "io"), "", waiting.taker(i));
      }
      ASSERT_TRUE(holding_.try_acquire_for(kPatience));
    }
    EXPECT_EQ(sent.count(), kCalls);
    EXPECT_EQ(waiting.count(), kCalls);
    let_go_.release(kCalls);
  }
  for (std::size_t i = 0; i < kCalls; ++i) {
    EXPECT_EQ(sent.code(i) + " " + waiting.code(i), "disconnected disconnected");
    EXPECT_EQ(sent[i].times + waiting[i].times, 2);
  }
}

TEST_F(CallerTest, a_call_made_while_it_ends_is_refused) {
  Answers answers(1);
  {
    Caller caller = connected(endpoint_);
    caller.call(to("echo", "io"), "", [&](const Result<std::string>& answer) {
      EXPECT_EQ(answer.error().code, Errc::disconnected);
      caller.call(to("echo", "io"), "once more", answers.taker(0));
    });
  }
  EXPECT_EQ(answers.code(0), "disconnected");
}

TEST_F(CallerTest, a_slow_answer_holds_up_no_other) {
  const Serving slow(endpoint_, holding());
  const Serving quick(call_endpoint(folder_.path().string(), "agent"), serve_echo);
  const Serving router(front_, forwarding());
  Answers held(1), answers(100);
  Caller caller = connected(front_);
  caller.call(to("hold", "io"), "", held.taker(0));
  ASSERT_TRUE(holding_.try_acquire_for(kPatience));
  for (std::size_t i = 0; i < 100; ++i) caller.call(to("echo", "agent"), std::to_string(i), answers.taker(i));
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.count_of("answered"), 100U);
  EXPECT_EQ(held.count(), 0U);
  let_go_.release();
  ASSERT_TRUE(held.wait_for_all());
  EXPECT_EQ(held[0].result.value_or("none"), "held");
}

// What the handler has learnt, as one text.
void serve_who_asks(Server& server) {
  server.handle("who", [](const Call& call, std::string_view, std::string& answer) -> Result<> {
    answer = std::string(call.target) + "|" + std::string(call.correlation_id) + "|" + std::string(call.token);
    return {};
  });
}

TEST_F(CallerTest, the_caller_and_the_correlation_id_arrive_also_where_the_call_is_passed_on) {
  const std::string token("\x00\xff who \x80", 8);
  const Serving role(endpoint_, serve_who_asks);
  const Serving router(front_, forwarding());
  CallOptions options = to("who", "io");
  options.correlation_id = "0198";
  options.token = token;
  Answers answers(4);
  Caller direct = connected(endpoint_), through = connected(front_);
  direct.call(options, "", answers.taker(0));
  through.call(options, "", answers.taker(1));
  through.call(to("who", "io"), "", answers.taker(2));
  ASSERT_TRUE(answers.wait_for(3));
  trace::start({.sample_ratio = 1.0});  // the envelope is written anew on its way
  through.call(options, "", answers.taker(3));
  const bool all = answers.wait_for_all();
  trace::stop();
  ASSERT_TRUE(all);
  for (const std::size_t i : {0U, 1U, 3U}) EXPECT_EQ(answers[i].result.value_or("none"), "io|0198|" + token) << i;
  EXPECT_EQ(answers[2].result.value_or("none"), "io||") << "one caller's identity is never the next one's";
}

TEST_F(CallerTest, a_call_belongs_to_the_trace_and_the_call_that_its_thread_serves) {
  const trace::Context caller_context = trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  std::vector<trace::Record> spans(64);
  trace::take(spans);  // those of tests before
  trace::start({.sample_ratio = 0.0});
  std::string id_within;
  trace::Context context_within;
  {
    const Serving role(endpoint_, serve_who_asks);
    Answers answers(2);
    Caller caller = connected(endpoint_);
    {
      const trace::Scope within(caller_context);
      const log::Correlation id("0198");
      caller.call(to("who", "io"), "", [&](Result<std::string> answer) {
        id_within = log::Correlation::current();
        context_within = trace::current();
        answers.taker(0)(std::move(answer));
      });
      caller.call(to("nonsense", "io"), "", answers.taker(1));
    }
    ASSERT_TRUE(answers.wait_for_all());
    EXPECT_EQ(answers[0].result.value_or("none"), "io|0198|");
  }
  trace::stop();
  EXPECT_EQ(id_within, "0198");
  EXPECT_EQ(context_within, caller_context);
  spans.resize(trace::take(spans));
  ASSERT_EQ(spans.size(), 4U);
  int called = 0, failed = 0;
  for (const trace::Record& span : spans) {
    EXPECT_EQ(span.context.trace_id, caller_context.trace_id);
    EXPECT_EQ(span.correlation_id.view(), "0198");
    failed += span.failed ? 1 : 0;
    if (span.kind != trace::Kind::client) continue;
    ++called;
    EXPECT_EQ(span.parent, caller_context.span_id);
    for (const trace::Record& served : spans) {
      if (served.kind == trace::Kind::server && served.name.view() == span.name.view()) {
        EXPECT_EQ(served.parent, span.context.span_id);
      }
    }
  }
  EXPECT_EQ(called, 2);
  EXPECT_EQ(failed, 2) << "nobody serves nonsense, on both sides";
}

TEST(CallerAndProcess, a_server_that_is_killed_takes_its_calls_along_and_the_next_one_serves) {
  constexpr std::size_t kHeld = 200;
  const TemporaryFolder folder;
  const std::string endpoint = "ipc://" + (folder.path() / "io.sock").string();
  const DyingServer dying(endpoint, kHeld);
  Answers served(kHeld), held(kHeld), after(kHeld);
  auto caller = Caller::connect(endpoint);
  ASSERT_TRUE(caller);
  const CallOptions options{"echo", "io", "", "", 60s};
  for (std::size_t i = 0; i < kHeld; ++i) caller->call(options, "served", served.taker(i));
  ASSERT_TRUE(served.wait_for_all());
  EXPECT_EQ(served.count_of("answered"), kHeld);
  for (std::size_t i = 0; i < kHeld; ++i) caller->call(options, "hold", held.taker(i));
  ASSERT_TRUE(held.wait_for_all()) << "long before their deadlines";
  EXPECT_THAT(held[0].result.error().message, HasSubstr("went away"));
  for (std::size_t i = 0; i < kHeld; ++i) {
    EXPECT_EQ(held.code(i), "disconnected");
    EXPECT_EQ(held[i].times, 1);
    caller->call(options, "after " + std::to_string(i), after.taker(i));
  }
  const Serving next(endpoint, serve_echo);
  ASSERT_TRUE(after.wait_for_all());
  for (std::size_t i = 0; i < kHeld; ++i) EXPECT_EQ(after[i].result.value_or("none"), "after " + std::to_string(i));
}

}  // namespace
}  // namespace rltune::bus
