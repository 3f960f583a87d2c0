#include "user_operations.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using UserOperations = GatewayTest;

TEST_F(UserOperations, an_administrator_sees_who_there_is_and_ends_their_sessions) {
  const std::string viewer = token("viewer"), admin = token("admin");
  EXPECT_EQ(call("GET /api/v1/users", viewer).status, 403);
  const json listed = json::parse(call("GET /api/v1/users", admin).body)["users"];
  ASSERT_EQ(listed.size(), 5U);
  EXPECT_EQ(listed[0]["name"], "viewer");
  EXPECT_EQ(listed[0]["sessions"], 1);
  const HttpAnswer ended = call("DELETE /api/v1/users/viewer/sessions", admin);
  ASSERT_EQ(ended.status, 200) << ended.body;
  EXPECT_EQ(json::parse(ended.body)["ended"], 1);
  EXPECT_EQ(call("GET /api/v1/account", viewer).status, 401);
  EXPECT_THAT(events(), ::testing::Contains("session.end_all viewer by admin"));
}

TEST_F(UserOperations, an_administrator_invites_who_could_not_agree_to_a_change_of_limits) {
  const std::string admin = token("admin");
  const HttpAnswer invited = call("POST /api/v1/users/operator/invitations", admin);
  ASSERT_EQ(invited.status, 200) << invited.body;
  const json chosen{{"link", json::parse(invited.body)["link"]}, {"password", "another long password"}};
  EXPECT_EQ(call("POST /api/v1/auth/password", {}, chosen.dump()).status, 204);
  EXPECT_EQ(login("operator", "another long password").status, 200);
  EXPECT_EQ(call("POST /api/v1/users/engineer/invitations", admin).status, 403);
  EXPECT_EQ(call("POST /api/v1/users/admin/invitations", admin).status, 403);
  EXPECT_EQ(call("POST /api/v1/users/feeder/invitations", admin).status, 409);
  EXPECT_EQ(call("POST /api/v1/users/nobody/invitations", admin).status, 404);
}

TEST_F(UserOperations, a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions) {
  const std::string here = token("viewer"), there = token("viewer");
  const auto change = [&](const std::string& current, const std::string& password) {
    return call("POST /api/v1/account/password", here, json{{"current", current}, {"password", password}}.dump());
  };
  EXPECT_EQ(change("a wrong one, long enough", "another long password").status, 403);
  EXPECT_EQ(change(kPassword, "short").status, 422);
  EXPECT_EQ(call("GET /api/v1/account", there).status, 200);
  ASSERT_EQ(change(kPassword, "another long password").status, 204);
  EXPECT_EQ(call("GET /api/v1/account", here).status, 200);
  EXPECT_EQ(call("GET /api/v1/account", there).status, 401);
  EXPECT_EQ(login("viewer").status, 401);
  EXPECT_EQ(login("viewer", "another long password").status, 200);
}

TEST_F(UserOperations, guesses_at_the_current_password_are_counted_as_others_are) {
  const std::string here = token("viewer");
  const json guess{{"current", "a wrong one, long enough"}, {"password", "another long password"}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call("POST /api/v1/account/password", here, guess.dump()).status, 403);
  EXPECT_EQ(call("POST /api/v1/account/password", here, guess.dump()).status, 429);
}

}  // namespace
}  // namespace rltune::gateway
