#include "dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1'000s};

struct Exchange {
  bool answered = false;
  v1::Answer answer;
  std::string body;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    dispatcher_.handle("echo", [this](const Call& call, std::string_view body, std::string& answer) -> Result<> {
      ++calls_;
      answer = std::string(call.target) + ":" + std::string(body);
      return {};
    });
    dispatcher_.handle("refuse", [](const Call&, std::string_view, std::string& answer) -> Result<> {
      answer = "half an answer";
      return fail(Errc::denied, "not you");
    });
    dispatcher_.handle("throw", [](const Call&, std::string_view, std::string&) -> Result<> {
      throw std::runtime_error("a library's own");
    });
  }

  Exchange send(const std::string& method, std::int64_t deadline_ns = 0) {
    v1::Envelope envelope;
    envelope.set_method(method);
    envelope.set_target("climate");
    envelope.set_call(7);
    envelope.set_deadline_unix_ns(deadline_ns);
    const std::string head = envelope.SerializeAsString();
    return send_frames(std::array<std::string_view, 2>{head, "body"});
  }
  Exchange send_frames(std::span<const std::string_view> frames) {
    Exchange exchange;
    std::string head;
    exchange.answered = dispatcher_.dispatch(frames, "caller", kNow, head, exchange.body);
    EXPECT_TRUE(!exchange.answered || exchange.answer.ParseFromString(head));
    return exchange;
  }

  Dispatcher dispatcher_{Duration::zero()};
  int calls_ = 0;
};

TEST_F(DispatcherTest, answers_with_the_calls_number) {
  const Exchange exchange = send("echo");
  EXPECT_TRUE(exchange.answered);
  EXPECT_EQ(exchange.answer.call(), 7U);
  EXPECT_EQ(exchange.answer.error_code(), "");
  EXPECT_EQ(exchange.body, "climate:body");
}

TEST_F(DispatcherTest, an_error_takes_the_place_of_the_body) {
  const Exchange exchange = send("refuse");
  EXPECT_EQ(exchange.answer.error_code(), "denied");
  EXPECT_EQ(exchange.answer.error_message(), "not you");
  EXPECT_EQ(exchange.body, "");
}

TEST_F(DispatcherTest, an_answer_that_would_end_the_connection_is_an_error) {
  dispatcher_.handle("long", [](const Call&, std::string_view, std::string& answer) -> Result<> {
    answer.resize(kMessageBytesMax + 1);
    return {};
  });
  const Exchange exchange = send("long");
  EXPECT_EQ(exchange.answer.error_code(), "no_space");
  EXPECT_EQ(exchange.body, "");
}

TEST_F(DispatcherTest, an_exception_in_a_handler_is_an_answer) {
  EXPECT_EQ(send("throw").answer.error_message(), "throw: a library's own");
}

TEST_F(DispatcherTest, an_unknown_method_is_named) {
  const Exchange exchange = send("nonsense");
  EXPECT_EQ(exchange.answer.error_code(), "not_found");
  EXPECT_THAT(exchange.answer.error_message(), testing::HasSubstr("nonsense"));
}

TEST_F(DispatcherTest, a_call_past_its_deadline_is_not_run) {
  EXPECT_FALSE(send("echo", TimePoint(999s).time_since_epoch().count()).answered);
  EXPECT_EQ(calls_, 0);
  EXPECT_TRUE(send("echo", TimePoint(1'001s).time_since_epoch().count()).answered);
}

TEST_F(DispatcherTest, malformed_frames_are_dropped_and_counted) {
  const std::array<std::string_view, 3> junk{"\xff\xff\xff\xff\xff", "", "x"};
  EXPECT_FALSE(send_frames(std::span(junk).first(0)).answered);
  EXPECT_FALSE(send_frames(std::span(junk).first(1)).answered);
  EXPECT_FALSE(send_frames(std::span(junk).first(2)).answered);
  EXPECT_FALSE(send_frames(junk).answered);
  EXPECT_EQ(dispatcher_.dropped(), 4U);
}

TEST(Errc, every_name_finds_its_code) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i)
    EXPECT_EQ(errc_of(to_string(static_cast<Errc>(i))), static_cast<Errc>(i));
  EXPECT_EQ(errc_of("nonsense"), Errc::internal);
}

}  // namespace
}  // namespace rltune::bus
