// The whole API of a running site, fuzzed from its own OpenAPI document by a program of tests/peers.
//
// `./dev fuzz SECONDS gateway_api` runs it for longer, with another seed every time; RLTUNE_FUZZ_SEED replays one.
#include <gmock/gmock.h>

#include <cstdlib>

#include "gateway_site.hpp"

namespace rltune {
namespace {

using nlohmann::json;
using testing::PilotSite;

double number_of(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtod(text, nullptr);
}

class ApiFuzz : public testing::GatewaySiteTest {
 protected:
  // Without limits: it calls as often as it can, and what is wrong is not locked out.
  ApiFuzz()
      : GatewaySiteTest({.gateway = testing::kNoCallLimits, .sign_in = "{attempts_max: 100, lockout_minutes: 0.1}"}) {}

  json settings(double seconds, std::uint64_t seed) {
    json accounts = json::array(), tags = json::array();
    for (const char* name : {"ada", "eve", "oscar", "bob"}) {
      enroll(name);
      accounts.push_back({{"user", name}, {"password", testing::kAccountPassword}});
    }
    for (const config::OutputRule& rule : site_->rules()) tags.push_back(rule.tag);
    const std::string secret = rltune_user("secret", "feeder")["secret"];
    return {{"url", url()},
            {"ca", certificate()},
            {"seed", seed},
            {"seconds", seconds},
            {"accounts", accounts},
            {"service", "feeder"},
            {"secret", secret},
            {"names", {{"tag", tags}, {"agent", {"climate"}}, {"version", {"1.0.0"}}}},
            {"forbidden", {testing::kAccountPassword, secret, site_->path("")}}};
  }
  // What was sent in secret fields begins with it, and belongs nowhere.
  std::vector<std::string> files_with(const std::string& mark) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(site_->path("")))
      if (entry.is_regular_file() && read_file(entry.path()).value_or("").contains(mark))
        found.push_back(entry.path().filename().string());
    return found;
  }
};

TEST_F(ApiFuzz, whatever_is_sent_is_answered_as_the_document_says_and_tells_nothing) {
  const auto seed = static_cast<std::uint64_t>(number_of("RLTUNE_FUZZ_SEED", 1));
  ASSERT_TRUE(write_file(site_->path("settings.json"), settings(number_of("RLTUNE_FUZZ_SECONDS", 10), seed).dump()));
  const auto said = run_command(
      std::format("/usr/bin/node {}/tests/peers/api_fuzz.mjs {}", RLTUNE_SOURCE_DIR, site_->path("settings.json")),
      site_->path(""));
  EXPECT_EQ(said.status, 0) << said.out << said.err;
  const std::size_t end = said.out.find_last_not_of('\n');
  const json told = json::parse(said.out.substr(said.out.rfind('\n', end) + 1), nullptr, false);
  ASSERT_TRUE(told.is_object()) << said.out << said.err;
  std::cout << told << '\n';
  EXPECT_GE(told["requests"], 500);
  for (const api::Operation& operation : api::operations())
    EXPECT_TRUE(told["operations"].contains(operation.id)) << operation.id << " was never called";

  EXPECT_THAT(files_with(std::format("canary-{}-", seed)), ::testing::IsEmpty());
  for (const char* role : {"gateway", "io", "coredinator"}) EXPECT_EQ(site_->role(role).restarts(), 0U) << role;
  EXPECT_TRUE(is_healthy()) << site_->everything();
}

}  // namespace
}  // namespace rltune
