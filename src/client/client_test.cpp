#include "rltune/client/client.hpp"

#include <gmock/gmock.h>

#include "rltune/api/site.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A gateway that answers by heart, and whose first access token has ended.
class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = webserver::Server::start(
        {},
        {{"POST", "/api/v1/auth/login", tokens("old", "r1")},
         {"POST", "/api/v1/auth/refresh",
          [this](const webserver::Request& request, const webserver::Reply& reply) {
            refreshed_.emplace_back(request.body);
            reply(refuses_ ? webserver::problem(401, "over") : webserver::Response{.body = given("new", "r2")});
          }},
         {"GET", "/api/v1/plant/mode", mode()},
         {"PUT", "/api/v1/plant/setpoints/{}", [](const webserver::Request& request, const webserver::Reply& reply) {
            webserver::Response wrong = webserver::problem(422, "not as it should be: " + request.parts[0]);
            wrong.body.pop_back();
            wrong.body += R"(,"errors":[{"pointer":"/value","detail":"is missing"}]})";
            reply(wrong);
          }}});
    ASSERT_TRUE(server);
    server_.emplace(std::move(*server));
    site_.emplace("http://127.0.0.1:" + std::to_string(server_->port()) + "/");
  }
  static std::string given(const std::string& access, const std::string& refresh) {
    return api::to_json(api::Tokens{.access_token = access, .refresh_token = refresh, .expires_in = 1});
  }
  static webserver::Handler tokens(const std::string& access, const std::string& refresh) {
    return [=](const webserver::Request&, const webserver::Reply& reply) { reply({.body = given(access, refresh)}); };
  }
  webserver::Handler mode() {
    return [this](const webserver::Request& request, const webserver::Reply& reply) {
      shown_.push_back(request.headers.contains("authorization") ? request.headers.at("authorization") : "");
      if (shown_.back() != "Bearer new") return reply(webserver::problem(401, "sign in"));
      reply({.body = R"({"mode":"manual","refused":""})"});
    };
  }

  std::atomic<bool> refuses_ = false;
  std::vector<std::string> refreshed_, shown_;
  std::optional<webserver::Server> server_;
  std::optional<Client> site_;
};

TEST_F(ClientTest, a_token_that_has_ended_is_renewed_once_and_the_call_made_again) {
  ASSERT_TRUE(site_->sign_in({.user = "ada", .password = "x"}));
  const auto mode = site_->call<api::ModeState>("getMode");
  ASSERT_TRUE(mode) << mode.error().message;
  EXPECT_EQ(mode->mode, "manual");
  EXPECT_THAT(refreshed_, ElementsAre(R"({"refresh_token":"r1"})"));
  EXPECT_THAT(shown_, ElementsAre("Bearer old", "Bearer new"));
  EXPECT_EQ(site_->tokens().refresh_token, "r2");
}

TEST_F(ClientTest, who_cannot_renew_is_told_to_sign_in) {
  refuses_ = true;
  ASSERT_TRUE(site_->sign_in({.user = "ada", .password = "x"}));
  EXPECT_EQ(site_->call<api::ModeState>("getMode").error().code, Errc::denied);
  EXPECT_EQ(shown_.size(), 1U);
}

TEST_F(ClientTest, an_error_says_which_field_is_wrong_and_a_part_is_encoded) {
  const auto wrong = site_->call<api::SetPointAnswer>("writeSetPoint", {"a b/c"}, api::SetPointOrder{});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::invalid_argument);
  EXPECT_EQ(wrong.error().message, "not as it should be: a b/c; /value is missing");
}

TEST_F(ClientTest, who_is_not_there_is_disconnected) {
  server_.reset();
  EXPECT_EQ(site_->call<api::ModeState>("getMode").error().code, Errc::disconnected);
}

TEST(ClientDeathTest, messages_of_another_operation_are_a_bug_of_ours) {
  EXPECT_DEATH((void)Client("http://localhost").call<api::AgentList>("getMode"), "");
}

}  // namespace
}  // namespace rltune::client
