#include "dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1'000s};

struct Exchange {
  v1::Answer answer;
  std::string body;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    dispatcher_.handle("echo", [](const Call& call, std::string_view body, std::string& answer) -> Result<> {
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

  Exchange send(const std::string& method) {
    v1::Envelope envelope;
    envelope.set_method(method);
    envelope.set_target("climate");
    Exchange exchange;
    std::string head = "of the answer before", body = "of that one too";
    dispatcher_.dispatch(envelope, "body", head, body);
    EXPECT_TRUE(exchange.answer.ParseFromString(head));
    exchange.body = body;
    return exchange;
  }

  Dispatcher dispatcher_;
};

TEST_F(DispatcherTest, what_the_handler_says_is_the_body) {
  const Exchange exchange = send("echo");
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

TEST(Envelope, a_call_is_expired_behind_its_deadline_and_never_without_one) {
  v1::Envelope envelope;
  EXPECT_FALSE(expired(envelope, kNow));
  envelope.set_deadline_unix_ns((kNow - 1ns).time_since_epoch().count());
  EXPECT_TRUE(expired(envelope, kNow));
  envelope.set_deadline_unix_ns(kNow.time_since_epoch().count());
  EXPECT_FALSE(expired(envelope, kNow));
}

TEST(Errc, every_name_finds_its_code) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i)
    EXPECT_EQ(errc_of(to_string(static_cast<Errc>(i))), static_cast<Errc>(i));
  EXPECT_EQ(errc_of("nonsense"), Errc::internal);
}

}  // namespace
}  // namespace rltune::bus
