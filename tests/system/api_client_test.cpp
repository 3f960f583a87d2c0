// The clients that are made from the table of operations, against a running gateway: TypeScript, C++ and the command
// line; and the page of the API.
#include <gmock/gmock.h>

#include "gateway_site.hpp"
#include "rltune/api/history.hpp"
#include "rltune/api/site.hpp"
#include "rltune/client/client.hpp"

namespace rltune {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::kAccountPassword;

constexpr TimePoint kAlways{std::chrono::seconds(7'258'118'400)};  // 2200: whatever clock the plant's record goes by

class ApiClients : public testing::GatewaySiteTest {
 protected:
  // In the test's own folder. What a command says on stdout, where it succeeds.
  std::string said(const std::string& command) const {
    const auto answer = run_command("cd " + site_->path("") + " && { " + command + "; }", site_->path(""));
    EXPECT_EQ(answer.status, 0) << command << '\n' << answer.out << answer.err;
    return answer.out;
  }
  static std::string rltune() { return RLTUNE_BIN_DIR "/rltune"; }
};

TEST_F(ApiClients, one_in_typescript_compiles_strictly_and_does_what_its_types_say) {
  enroll("ada");
  enroll("bob");
  const std::string peers = RLTUNE_SOURCE_DIR "/tests/peers";
  ASSERT_TRUE(write_file(site_->path("package.json"), R"({"type":"module"})"));
  said(rltune() + " api typescript >client.ts");
  said("cp " + peers + "/use_client.ts . && " + peers +
       "/node_modules/.bin/tsc --strict --skipLibCheck --noUncheckedIndexedAccess --exactOptionalPropertyTypes "
       "--noUnusedLocals "
       "--target es2022 "
       "--module nodenext --lib es2022,dom client.ts use_client.ts");
  const json told = json::parse(said(std::format("NODE_EXTRA_CA_CERTS={} /usr/bin/node use_client.js {} '{}'",
                                                 certificate(), url(), kAccountPassword)),
                                nullptr, false);
  EXPECT_EQ(told, json::parse(R"({"before":401,"set":{"mode":"manual","refused":""},"wrong":"/mode","denied":403,
                                  "unknown":404,"renewed":"bob","samples":3,"more":true,"out":401})"));
}

TEST_F(ApiClients, one_in_cpp_steers_the_plant_and_renews_its_tokens) {
  enroll("ada");
  client::Client ada(url(), {.ca_file = certificate()});
  EXPECT_EQ(ada.call<api::PlantState>("getPlant").error().code, Errc::denied);
  EXPECT_EQ(ada.sign_in({.user = "ada", .password = "not this one"}).error().code, Errc::denied);
  ASSERT_TRUE(ada.sign_in({.user = "ada", .password = kAccountPassword}));
  const auto mode = ada.call<api::ModeState>("setMode", {}, api::ModeOrder{.mode = "manual", .reason = "by hand"});
  ASSERT_TRUE(mode) << mode.error().message;
  EXPECT_EQ(site_->io_status()->mode(), "manual");
  const config::OutputRule rule = site_->rules()[0];
  const auto written = ada.call<api::SetPointAnswer>("writeSetPoint", {rule.tag},
                                                     api::SetPointOrder{.value = rule.limits.low, .reason = "closed"});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_TRUE(written->verified);
  ada.use({.access_token = "a.b.c", .refresh_token = ada.tokens().refresh_token});
  const auto plant = ada.call<api::PlantState>("getPlant");
  ASSERT_TRUE(plant) << plant.error().message;
  EXPECT_EQ(plant->mode, "manual");
  const api::SamplesQuery first{.page = {.from = TimePoint(), .to = kAlways, .limit = 3, .cursor = {}}};
  const auto samples = ada.ask<api::SampleList>("listSamples", {"air_temperature"}, first);
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(samples->samples.size(), 3U);
  EXPECT_EQ(ada.call<api::AgentState>("getAgent", {"nobody"}).error().code, Errc::not_found);

  // And the same from a shell, with a sign-in that is kept.
  const std::string session = site_->path("session.json"), kept = " --session " + session;
  said(std::format("printf '%s\\n' '{}' | {} api login ada --gateway {} --ca {}{}", kAccountPassword, rltune(), url(),
                   certificate(), kept));
  EXPECT_EQ(json::parse(said(rltune() + " api call getMode" + kept))["mode"], "manual");
  EXPECT_EQ(json::parse(said(
                rltune() +
                " api call listSamples tag=air_temperature from=1970-01-01T00:00:00Z to=2200-01-01T00:00:00Z limit=2" +
                kept))["samples"]
                .size(),
            2U);
  EXPECT_EQ(json::parse(said(rltune() + " api call setMode mode=shadow reason='on the way'" + kept))["mode"], "shadow");
  EXPECT_EQ(std::filesystem::status(session).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(said(rltune() + " api call logout" + kept), "");
  const auto over = run_command(rltune() + " api call getMode" + kept, site_->path(""));
  EXPECT_EQ(over.status, 1);
  EXPECT_THAT(over.err, HasSubstr("sign in again, or refresh"));
}

TEST_F(ApiClients, the_page_of_the_api_holds_its_own_style_and_nothing_else) {
  const auto page = send("GET", "/api/v1/docs");
  ASSERT_TRUE(page && page->status == 200);
  EXPECT_EQ(page->headers.at("content-type"), "text/html; charset=utf-8");
  ASSERT_TRUE(write_file(site_->path("page.html"), page->body));
  const std::string hash = said(
      R"js(node -e "const [, style] = require('fs').readFileSync('page.html', 'utf8').match(/<style>([^]*)<.style>/);)js"
      R"js(process.stdout.write(require('crypto').createHash('sha256').update(style).digest('base64'))")js");
  EXPECT_THAT(page->headers.at("content-security-policy"),
              HasSubstr("default-src 'none'; style-src 'sha256-" + hash + "';"));
  EXPECT_THAT(page->body, HasSubstr("/api/v1/plant/mode"));
}

}  // namespace
}  // namespace rltune
