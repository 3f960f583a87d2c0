// A site's public port as a stranger meets it: TLS, the first administrator's link, roles, and what becomes of the loop
// when the gateway is killed.
#include <gmock/gmock.h>

#include <sstream>

#include "certificates.hpp"
#include "gateway_site.hpp"
#include "rltune/http/url.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::PilotSite;

class GatewayRole : public testing::GatewaySiteTest {
 protected:
  bool audited(const std::string& word) const {
    return PilotSite::eventually(
        [&] {
          std::string text;
          for (const auto& entry : std::filesystem::recursive_directory_iterator(site_->path("site/data/audit")))
            if (entry.is_regular_file()) text += read_file(entry.path()).value_or("");
          return text.contains("\"" + word + "\"");
        },
        20s);
  }

  // What a client of another project is sent, so many frames, a line each; then how it ended.
  std::vector<std::string> live(const std::string& token, int frames, const std::string& tags) const {
    const std::string call =
        std::format("timeout 30 /usr/bin/node {}/tests/peers/live.mjs wss://localhost:{}/api/v1/live {} {} {} {}",
                    RLTUNE_SOURCE_DIR, port_, certificate(), token, frames, tags);
    std::istringstream said(run_command(call, site_->path("")).out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(said, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(GatewayRole, values_are_seen_as_they_come) {
  const std::string bob = sign_in("bob");
  const auto lines = live(bob, 5, "air_temperature");
  ASSERT_EQ(lines.size(), 6U) << (lines.empty() ? site_->everything() : lines.back());
  EXPECT_EQ(lines.back(), "closed 1000");
  std::uint64_t frame = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const json told = json::parse(lines[i]);
    EXPECT_EQ(told["values"].size(), 1U);
    EXPECT_EQ(told["values"]["air_temperature"][1], "good");
    EXPECT_GT(told["frame"].get<std::uint64_t>(), frame);
    frame = told["frame"];
  }
  EXPECT_THAT(live(bob, 1, "no_such_tag"), ::testing::ElementsAre("closed 1008 a tag that the site does not have"));
  EXPECT_THAT(live("nonsense", 1, ""), ::testing::ElementsAre("refused 401"));
}

TEST_F(GatewayRole, a_service_gets_its_secret_and_its_tokens) {
  const json made = rltune_user("secret", "feeder");
  const auto given = send("POST", "/api/v1/auth/token", {}, {{"service", "feeder"}, {"secret", made["secret"]}});
  ASSERT_TRUE(given && given->status == 200) << (given ? given->body : given.error().message);
  EXPECT_EQ(status("GET", "/api/v1/plant", json::parse(given->body)["access_token"]), 200);
}

TEST_F(GatewayRole, the_first_administrator_comes_in_by_a_link_and_steers_through_the_guard) {
  const std::string ada = sign_in("ada"), bob = sign_in("bob");
  const auto roles = send("GET", "/api/v1/roles", bob);
  ASSERT_TRUE(roles && roles->status == 200) << (roles ? roles->body : roles.error().message);
  std::vector<std::string> names;
  const json listed = json::parse(roles->body);
  for (const json& role : listed["roles"]) names.push_back(role["name"]);
  EXPECT_THAT(names, ::testing::IsSupersetOf({"io", "agent.climate", "gateway"}));

  const json order{{"mode", "manual"}, {"reason", "a walk through the house"}};
  EXPECT_EQ(status("PUT", "/api/v1/plant/mode", bob, order), 403);
  EXPECT_EQ(status("PUT", "/api/v1/plant/mode", ada, order), 200);
  EXPECT_EQ(site_->io_status()->mode(), "manual");
  const config::OutputRule rule = site_->rules()[0];
  const auto written = send("PUT", "/api/v1/plant/setpoints/" + rule.tag, ada,
                            {{"value", rule.limits.high + 1000.0}, {"reason", "as far as it goes"}});
  ASSERT_TRUE(written && written->status == 200) << written->body;
  const json told = json::parse(written->body);
  EXPECT_LE(told["applied"].get<double>(), rule.limits.high) << "the guard is behind the gateway as well";
  EXPECT_EQ(told["asked"], rule.limits.high + 1000.0);
  EXPECT_EQ(send("GET", "/api/v1/agents/nobody", bob)->status, 404);
}

TEST_F(GatewayRole, a_limit_is_loosened_by_two_people_and_by_nobody_alone) {
  const std::string ada = sign_in("ada"), eve = sign_in("eve");
  const auto value = [&](const std::string& token, const std::string& method, const std::string& path,
                         const json& body = {}) {
    const auto answer = send(method, "/api/v1/config" + path, token, body);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? json::parse(answer->body, nullptr, false) : json();
  };
  const json now = value(eve, "GET", "");
  const auto file = std::ranges::find(now["files"], "site.yaml", [](const json& one) { return one["name"]; });
  ASSERT_NE(file, now["files"].end()) << now;
  const std::string text = (*file)["text"];
  // The upper limit of the first output comes down, which is stricter, and then goes up again, which is not.
  const auto at = text.find("high: ", text.find("limits: {")) + 6, end = text.find('}', at);
  ASSERT_NE(end, text.npos) << text;
  const std::string stricter =
      std::string(text).replace(at, end - at, std::format("{}", 0.5 * std::stod(text.substr(at, end - at))));
  const auto change = [&](const std::string& to) {
    return value(eve, "POST", "/changes", {{"text", to}, {"reason", "a colder summer"}});
  };
  const auto applied = [&] {
    return PilotSite::eventually([&] { return value(eve, "GET", "/state")["state"] == "applied"; }, 30s);
  };
  ASSERT_EQ(change(stricter)["state"], "under_way");
  ASSERT_TRUE(applied()) << value(eve, "GET", "/state");
  EXPECT_EQ(value(eve, "POST", "/plans", {{"text", text}})["loosens"].size(), 1U);
  const json proposed = change(text);
  ASSERT_EQ(proposed["state"], "proposed") << proposed;
  const std::string answers = "/proposals/" + proposed["proposal"].get<std::string>() + "/answers";
  const json agree{{"verb", "agree"}, {"reason", "looked at it"}};
  EXPECT_EQ(status("POST", "/api/v1/config" + answers, eve, agree), 403);
  EXPECT_EQ(read_file(site_->path("site/site.yaml")).value(), stricter);
  ASSERT_EQ(value(ada, "POST", answers, agree)["state"], "under_way");
  ASSERT_TRUE(applied()) << value(eve, "GET", "/state");
  EXPECT_EQ(read_file(site_->path("site/site.yaml")).value(), text);
  const json versions = value(eve, "GET", "/versions")["versions"];
  EXPECT_EQ(versions[0]["author"], "eve");
  EXPECT_EQ(versions[0]["reason"], "a colder summer (agreed to by ada: looked at it)");
}

TEST_F(GatewayRole, a_stranger_gets_nothing_and_plain_http_gets_no_answer) {
  EXPECT_EQ(status("GET", "/api/v1/roles"), 401);
  EXPECT_EQ(status("GET", "/healthcheck"), 200);
  const auto keys = send("GET", "/.well-known/jwks.json");
  ASSERT_TRUE(keys && keys->status == 200);
  EXPECT_EQ(json::parse(keys->body)["keys"].size(), 2U) << "the one that signs, and the next";
  const auto told = send("GET", "/api/v1/openapi.json");
  ASSERT_TRUE(told && told->status == 200);
  EXPECT_EQ(json::parse(told->body)["openapi"], "3.1.0");
  EXPECT_EQ(send("GET", "/healthcheck", {}, {}, "").error().code, Errc::denied) << "nobody signed its certificate";
  http::Client plain;
  EXPECT_FALSE(plain.send({.method = "GET", .url = std::format("http://127.0.0.1:{}/healthcheck", port_)}));
}

TEST_F(GatewayRole, a_kill_ends_no_session_and_the_loop_goes_on) {
  const std::string ada = sign_in("ada");
  const std::string before = read_file(certificate()).value_or("");
  const pid_t was = site_->role("gateway").pid();
  ASSERT_GT(was, 1);
  ::kill(was, SIGKILL);
  EXPECT_TRUE(site_->decides(5));
  ASSERT_TRUE(PilotSite::eventually(
      [&] { return site_->role("gateway").pid() != was && site_->role("gateway").state() == "healthy"; }, 20s));
  EXPECT_EQ(status("GET", "/api/v1/account", ada), 200);
  EXPECT_EQ(read_file(certificate()).value_or(""), before) << "it keeps its certificate";
}

TEST_F(GatewayRole, who_signs_in_at_the_provider_is_signed_in_at_the_site) {
  const std::string outside = site_->path("outside"), own = url();
  std::filesystem::create_directories(outside);
  ASSERT_TRUE(testing::make_certificates(outside));
  testing::ChildProcess provider({"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/oidc.mjs", "--folder", outside,
                                  "--callback", own + "/api/v1/auth/oidc/callback"},
                                 outside + "/log");
  const auto line = provider.read_line(60s);
  ASSERT_TRUE(line) << read_file(outside + "/log").value_or("");
  const std::string issuer = std::format("https://127.0.0.1:{}", json::parse(*line)["port"].get<int>());
  ASSERT_TRUE(write_secret_file(site_->path("site/secrets/client"), "a secret of the client"));
  std::filesystem::copy_file(outside + "/ca.pem", site_->path("site/secrets/provider.pem"));
  const std::string users = site_->path("site/users.yaml");
  ASSERT_TRUE(write_file(users, *read_file(users) + "oauth:\n  issuer: " + issuer +
                                    "\n  client_id: ES256\n  client_secret_file: secrets/client\n"
                                    "  ca_file: secrets/provider.pem\n"));
  Result<http::Response> begun;
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        begun = send("GET", "/api/v1/auth/oidc/login");
        return begun && begun->status == 302;
      },
      20s))
      << begun->body << site_->everything();
  const std::string cookie = begun->headers["set-cookie"];
  http::Client browser({.ca_file = outside + "/ca.pem"}), back({.ca_file = certificate()});
  const auto sent =
      browser.send({.method = "GET",
                    .url = issuer + "/visit?" + http::percent_encoded(begun->headers["location"] + "&login_hint=ada")});
  ASSERT_TRUE(sent && sent->body.starts_with(own)) << (sent ? sent->body : sent.error().message);
  const auto answer =
      back.send({.method = "GET", .url = sent->body, .headers = {{"Cookie", cookie.substr(0, cookie.find(';'))}}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 302) << answer->body << site_->everything();
  EXPECT_EQ(answer->headers.at("location"), "/");
  EXPECT_TRUE(audited("by the provider"));
}

TEST_F(GatewayRole, who_did_what_stands_in_the_audit) {
  const std::string bob = sign_in("bob");
  EXPECT_EQ(status("PUT", "/api/v1/plant/mode", bob, {{"mode", "manual"}, {"reason", "curious"}}), 403);
  EXPECT_EQ(status("POST", "/api/v1/auth/login", {}, {{"user", "bob"}, {"password", "a wrong password"}}), 401);
  for (const char* action : {"password.set", "sign_in", "permission.denied", "sign_in.failed"})
    EXPECT_TRUE(audited(action)) << action;
}

}  // namespace
}  // namespace rltune
