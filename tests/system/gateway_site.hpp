// A whole site with a gateway, as who calls it over HTTPS meets it. Its accounts: ada admin, eve engineer, oscar
// operator, bob viewer, feeder service.
#pragma once

#include "answer_record.hpp"
#include "command_answer.hpp"
#include "pilot_site.hpp"
#include "rltune/http/client.hpp"

namespace rltune::testing {

inline constexpr const char* kAccountPassword = "ventilate before noon";
inline api::AnswerRecord& answers = api::record_answers(api::Wanted::any);

// Of site.yaml's gateway: for who asks until something is there, which no person does.
inline constexpr const char* kNoCallLimits =
    "enabled: true, calls_per_s: 100000, calls_burst: 100000, limits: ["
    "{operation: listSamples, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: listRollups, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: listDecisions, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: replayDecision, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: listAudit, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: searchLogs, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: verifyAudit, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: planConfig, calls_per_s: 100000, calls_burst: 100000}, "
    "{operation: changeConfig, calls_per_s: 100000, calls_burst: 100000}]";

// What a test needs to be otherwise: fields of site.yaml's gateway and of users.yaml's sign_in.
struct GatewayEdits {
  std::string gateway = "enabled: true", sign_in = "{}";
};

class GatewaySiteTest : public ::testing::Test {
 protected:
  explicit GatewaySiteTest(GatewayEdits edits = {}) : edits_(std::move(edits)) {}

  void SetUp() override {
    port_ = free_port();
    site_ = std::make_unique<PilotSite>(PilotOptions{
        .lockstep = false,
        .period_s = 0.2,
        .edits = {{"rltune/site/v1", "rltune/site/v2"},
                  {"\nguard:", std::format("\ngateway: {{{}, port: {}}}\nguard:", edits_.gateway, port_)}}});
    ASSERT_TRUE(write_file(site_->path("site/users.yaml"),
                           "schema: rltune/users/v1\nsign_in: " + edits_.sign_in +
                               "\nusers:\n"
                               "  - {name: ada, role: admin, password_hash_file: secrets/ada}\n"
                               "  - {name: eve, role: engineer, password_hash_file: secrets/eve}\n"
                               "  - {name: oscar, role: operator, password_hash_file: secrets/oscar}\n"
                               "  - {name: bob, role: viewer, password_hash_file: secrets/bob}\n"
                               "  - {name: feeder, role: service, password_hash_file: secrets/feeder}\n"));
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(5)) << site_->everything();
    ASSERT_TRUE(is_healthy()) << site_->everything();
  }
  bool is_healthy() {
    return PilotSite::eventually([&] { return site_->role("gateway").state() == "healthy"; }, std::chrono::seconds(20));
  }
  std::string certificate() const { return site_->path("site/data/access/certificate.pem"); }
  std::string url(const std::string& path = {}) const { return std::format("https://localhost:{}{}", port_, path); }
  Result<http::Response> send(const std::string& method, const std::string& path, const std::string& token = {},
                              const nlohmann::json& body = {}, const std::string& ca_file = "ours") const {
    http::Client client({.ca_file = ca_file == "ours" ? certificate() : ca_file});
    http::Request request{.method = method, .url = url(path)};
    if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
    if (body.is_object()) {
      request.headers.push_back({"Content-Type", "application/json"});
      request.body = body.dump();
    }
    auto answer = client.send(request);
    if (answer) answers.note(method, path, answer->status, answer->headers["content-type"], answer->body);
    return answer;
  }
  long status(const std::string& method, const std::string& path, const std::string& token = {},
              const nlohmann::json& body = {}) const {
    const auto answer = send(method, path, token, body);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? answer->status : 0;
  }
  nlohmann::json rltune_user(const std::string& verb, const std::string& name) const {
    const auto said = run_command(
        std::format("{}/rltune user {} {} {} --json", RLTUNE_BIN_DIR, verb, name, site_->site_file()), site_->path(""));
    EXPECT_EQ(said.status, 0) << said.err;
    return nlohmann::json::parse(said.out, nullptr, false);
  }
  // A link, and the password chosen with it.
  void enroll(const std::string& name) const {
    const nlohmann::json link = rltune_user("invite", name);
    EXPECT_EQ(status("POST", "/api/v1/auth/password", {}, {{"link", link["link"]}, {"password", kAccountPassword}}),
              204);
  }
  std::string sign_in(const std::string& name) const {
    enroll(name);
    const auto answer = send("POST", "/api/v1/auth/login", {}, {{"user", name}, {"password", kAccountPassword}});
    EXPECT_TRUE(answer && answer->status == 200) << (answer ? answer->body : answer.error().message);
    return answer ? nlohmann::json::parse(answer->body).value("access_token", "") : std::string();
  }

  GatewayEdits edits_;
  int port_ = 0;
  std::unique_ptr<PilotSite> site_;
};

}  // namespace rltune::testing
