#include "door.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kRolesPath = "GET /api/v1/roles";

// A body that the operation takes, or one of the right kind that it refuses.
std::string body_of(const api::Operation& operation) {
  const std::map<std::string_view, std::string> bodies{{"setMode", R"({"mode":"shadow","reason":"test"})"},
                                                       {"writeSetPoint", R"({"value":3.5,"reason":"test"})"},
                                                       {"orderAgent", R"({"verb":"stop","reason":"test"})"},
                                                       {"orderVersion", R"({"verb":"promote","reason":"test"})"}};
  if (operation.request == nullptr) return {};
  const auto known = bodies.find(operation.id);
  return known == bodies.end() ? "{}" : known->second;
}

std::string line_of(const api::Operation& operation) {
  std::string path(operation.path);
  for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{'))
    path.replace(at, path.find('}', at) + 1 - at, "climate");
  return std::string(operation.method) + " " + path;
}

TEST_F(GatewayTest, every_role_may_what_the_table_says_and_nothing_else) {
  for (const char* name : {"viewer", "operator", "engineer", "admin"}) {
    std::string shown = token(name);
    for (const api::Operation& operation : api::operations()) {
      if (operation.permission == api::Permission::open) continue;
      const HttpAnswer answer = call(line_of(operation), shown, body_of(operation));
      EXPECT_NE(answer.status, 401) << name << " " << operation.id << answer.body;
      EXPECT_EQ(answer.status == 403, !api::may(*api::parse_role(name), operation.permission))
          << name << " " << operation.id << answer.body;
      EXPECT_TRUE(answer.status >= 200 && answer.status < 500) << name << " " << operation.id << answer.body;
      if (operation.id == "logout") shown = token(name);
    }
  }
  EXPECT_THAT(events(), Contains("denied viewer setMode"));
}

TEST_F(GatewayTest, who_has_not_signed_in_gets_nowhere) {
  for (const api::Operation& operation : api::operations()) {
    if (operation.permission == api::Permission::open) continue;
    for (const char* shown : {"", "nonsense", "a.b.c"}) {
      const HttpAnswer answer = call(line_of(operation), shown, body_of(operation));
      EXPECT_EQ(answer.status, 401) << operation.id;
      EXPECT_THAT(answer.head, HasSubstr("WWW-Authenticate: Bearer")) << operation.id;
      EXPECT_THAT(answer.body, HasSubstr("\"status\":401"));
    }
  }
  EXPECT_THAT(asked(), IsEmpty()) << "nothing reached the site";
  EXPECT_EQ(call("GET /api/v1/unknown", token("admin")).status, 404);
}

TEST_F(GatewayTest, an_agent_that_is_away_is_told_to_be_unwell) {
  const auto health = [this, shown = token("viewer")](const std::string& agent, int status) {
    const HttpAnswer answer = call("GET /api/v1/agents/" + agent + "/health", shown);
    EXPECT_EQ(answer.status, status) << answer.body;
    return json::parse(answer.body, nullptr, false);
  };
  EXPECT_EQ(health("climate", 200), json({{"healthy", true}, {"reason", ""}}));
  EXPECT_EQ(health("stopped", 200), json({{"healthy", false}, {"reason", "agent stopped is stopped; start it first"}}));
  EXPECT_EQ(health("gone", 200), json({{"healthy", false}, {"reason", "it does not answer"}}));
  EXPECT_EQ(health("nobody", 404)["detail"], "no agent of that name");
}

TEST_F(GatewayTest, a_name_that_nothing_has_goes_nowhere) {
  EXPECT_EQ(call("GET /api/v1/agents/" + std::string(201, 'a'), token("viewer")).status, 404);
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(GatewayTest, a_refusal_says_how_to_sign_in) {
  EXPECT_THAT(login("viewer", "wrong password!!").head, HasSubstr("WWW-Authenticate: Bearer"));
}

TEST_F(GatewayTest, a_call_reaches_the_site_in_the_name_of_who_makes_it) {
  const HttpAnswer roles = call(kRolesPath, token("viewer"), {}, "X-Correlation-Id: my-id.7");
  ASSERT_EQ(roles.status, 200) << roles.body;
  EXPECT_EQ(asked(), "coredinator.Roles coredinator by viewer my-id.7");
  EXPECT_THAT(roles.head, HasSubstr("X-Correlation-Id: my-id.7"));
  EXPECT_THAT(roles.head, HasSubstr("Cache-Control: no-store"));
  EXPECT_EQ(json::parse(roles.body)["roles"][0]["started"], "2023-11-14T22:13:20Z");

  ASSERT_EQ(call("PUT /api/v1/plant/mode", token("operator"), R"({"mode":"shadow","reason":"why"})").status, 200);
  EXPECT_EQ(asked(), "io.Mode io by operator operator:shadow:why");
  const HttpAnswer written =
      call("PUT /api/v1/plant/setpoints/heating", token("engineer"), R"({"value":42,"reason":"cold"})");
  EXPECT_EQ(asked(), "io.Write io by engineer engineer:heating");
  EXPECT_EQ(json::parse(written.body)["applied"], 10.0);
  ASSERT_EQ(call("POST /api/v1/agents/climate/versions/1.2.0/orders", token("operator"),
                 R"({"verb":"rollback","reason":"worse"})")
                .status,
            200);
  EXPECT_EQ(asked(), "coredinator.OrderVersion coredinator by operator operator:climate:1.2.0:rollback");
}

TEST_F(GatewayTest, a_version_is_deployed_from_below_the_sites_folder_alone) {
  const auto deploy = [&](const std::string& artifact) {
    return call("POST /api/v1/agents/climate/versions", token("engineer"),
                json{{"version", "1.2.0"}, {"artifact", artifact}, {"reason", "spring"}}.dump());
  };
  const HttpAnswer done = deploy("policies/spring");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(coredinator_.changed(),
            "engineer deploys 1.2.0 of climate from " + (folder_.path() / "policies/spring").string());
  for (const char* artifact : {"", "/etc", "..", "../other", "policies/../../other", "./../x"})
    EXPECT_EQ(deploy(artifact).status, 422) << artifact;
}

TEST_F(GatewayTest, a_correlation_id_that_is_none_is_replaced) {
  for (const std::string& wrong : {std::string(65, 'a'), std::string("a b"), std::string("a\"b")}) {
    const HttpAnswer answer = call(kRolesPath, {}, {}, "X-Correlation-Id: " + wrong);
    EXPECT_THAT(answer.head, HasSubstr("X-Correlation-Id: ")) << wrong;
    EXPECT_THAT(answer.head, Not(HasSubstr("X-Correlation-Id: " + wrong + "\r"))) << wrong;
  }
}

TEST_F(GatewayTest, an_error_of_the_site_is_a_problem_with_its_reason) {
  const HttpAnswer answer =
      call("PUT /api/v1/plant/setpoints/nothing", token("operator"), R"({"value":1,"reason":"test"})");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.head, HasSubstr("application/problem+json"));
  const json problem = json::parse(answer.body);
  EXPECT_EQ(problem["detail"], "no such set-point");
  EXPECT_EQ(problem["title"], "Not Found");
  EXPECT_TRUE(problem.contains("correlation_id"));
}

TEST_F(GatewayTest, a_site_that_does_not_answer_is_a_gateway_timeout_or_unavailable) {
  const std::string admin = token("admin");
  stop_ = true;
  const HttpAnswer answer = call(kRolesPath, admin, {}, "");
  EXPECT_TRUE(answer.status == 200 || answer.status == 503 || answer.status == 504) << answer.body;
  const HttpAnswer later =
      http_exchange(server_->port(), std::string(kRolesPath) + "\nAuthorization: Bearer " + admin, {}, 10'000);
  EXPECT_TRUE(later.status == 503 || later.status == 504) << later.status << later.body;
}

TEST_F(GatewayTest, a_message_that_is_wrong_is_told_field_by_field) {
  const HttpAnswer answer =
      call("PUT /api/v1/plant/mode", token("operator"), R"({"mode":"faster","because":"I say so"})");
  EXPECT_EQ(answer.status, 422);
  std::vector<std::string> pointers;
  const json problem = json::parse(answer.body);
  for (const json& fault : problem["errors"]) pointers.push_back(fault["pointer"]);
  EXPECT_THAT(pointers, ::testing::UnorderedElementsAre("/mode", "/reason", "/because"));
  EXPECT_EQ(call("PUT /api/v1/plant/mode", token("operator"), "mode=shadow").status, 422);
  EXPECT_THAT(asked(), Not(HasSubstr("io.Mode")));
}

TEST_F(GatewayTest, of_names_that_nobody_knows_only_the_beginning_is_shown_back) {
  const std::string long_name(1500, 'q');
  const HttpAnswer asked = call("GET /api/v1/plant?" + long_name + "=1", token("viewer"));
  EXPECT_EQ(json::parse(asked.body)["errors"][0]["parameter"], long_name.substr(0, 200));
  json order{{"mode", "shadow"}, {"reason", "x"}, {long_name, 1}};
  for (int i = 0; i < 2000; ++i) order["f" + std::to_string(i)] = i;
  const HttpAnswer told = call("PUT /api/v1/plant/mode", token("operator"), order.dump());
  EXPECT_EQ(told.status, 422);
  EXPECT_EQ(json::parse(told.body)["errors"].size(), 100U);
}

TEST_F(GatewayTest, a_body_of_another_kind_is_refused) {
  const std::string admin = token("admin"), body = R"({"mode":"shadow","reason":"test"})";
  EXPECT_EQ(http_exchange(server_->port(), "PUT /api/v1/plant/mode\nAuthorization: Bearer " + admin, body).status, 415);
  const auto status = [&](const std::string& type) {
    return call("PUT /api/v1/plant/mode", admin, body, "Content-Type: " + type).status;
  };
  EXPECT_EQ(status("text/plain"), 415);
  EXPECT_EQ(status("application/x-www-form-urlencoded"), 415);
  EXPECT_EQ(status("Application/JSON; charset=utf-8"), 200);
}

TEST_F(GatewayTest, who_calls_too_often_waits_and_others_do_not) {
  const std::string viewer = token("viewer"), admin = token("admin");
  start({.limits = {.rate = {.per_second = 1.0, .burst = 5.0}, .exempt = {}, .operations = {}}});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(kRolesPath, viewer).status, 200) << i;
  const HttpAnswer refused = call(kRolesPath, viewer);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.head, HasSubstr("Retry-After: 1\r"));
  EXPECT_THAT(refused.head, HasSubstr("RateLimit: \"calls\";r=0;t=5"));
  EXPECT_THAT(refused.head, HasSubstr("RateLimit-Policy: \"calls\";q=5;w=5"));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(call(kRolesPath, viewer).status, 200);
  EXPECT_EQ(call(kRolesPath, viewer).status, 429);

  start({.limits = {.rate = {.per_second = 1.0, .burst = 5.0}, .exempt = {"127.0.0.1"}, .operations = {}}});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(call(kRolesPath, admin).status, 200) << i;
}

}  // namespace
}  // namespace rltune::gateway
