// The demo as a person runs it, short: trained for a moment, a season of four days, both accidents. What it says on
// stdout, what it leaves behind, and that a browser without a network draws its report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "child_process.hpp"
#include "rltune/base/file.hpp"
#include "rltune/policy/artifact.hpp"
#include "temporary_folder.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::AllOf;
using testing::ChildProcess;
using ::testing::Eq;
using ::testing::Ge;

constexpr const char* kBrowser = "/usr/bin/chromium";

struct Outcome {
  int status = -1;
  json said;
};

class Demo : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Everything on stdout must be one object.
  Outcome run(std::vector<std::string> options) {
    std::vector<std::string> words{std::string(RLTUNE_BIN_DIR) + "/rltune",
                                   "demo",
                                   "--json",
                                   "--out",
                                   path("out"),
                                   "--days",
                                   "4",
                                   "--episodes",
                                   "2"};
    words.insert(words.end(), options.begin(), options.end());
    ChildProcess demo(words, path("demo.err"));
    std::string text;
    while (const auto line = demo.read_line(200s)) text += *line + "\n";
    return {demo.wait(20s).value_or(-1), json::parse(text, nullptr, false)};
  }

  // A policy of a moment's training fails its validation, which is not what is under test.
  void approve() {
    auto artifact = policy::load_artifact(path("out/policy"));
    ASSERT_TRUE(artifact) << artifact.error().message;
    artifact->manifest.validation.passed = true;
    ASSERT_TRUE(policy::save_artifact(path("out/policy"), *artifact));
  }

  static bool check_of(const json& said, const std::string& name) {
    for (const json& check : said["checks"])
      if (check["name"] == name) return check["passed"];
    ADD_FAILURE() << "no check is named '" << name << "'";
    return false;
  }

  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t number = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
    return number;
  }

  // Charts that stand in the page once a browser that can reach nothing has run it.
  std::size_t drawn(const std::string& page) const {
    ChildProcess browser(
        {kBrowser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--user-data-dir=" + path("browser"), "--virtual-time-budget=5000", "--dump-dom", "file://" + page},
        path("browser.err"));
    std::string dom;
    while (const auto line = browser.read_line(60s)) dom += *line + "\n";
    return count(dom, "class=\"uplot");
  }
  static std::size_t charts_of(const std::string& page) {
    return count(read_file(page).value_or(""), "class=\"plot\" id=\"chart-");
  }

  std::string errors() const { return read_file(path("demo.err")).value_or(""); }

  TemporaryFolder folder_;
};

TEST_F(Demo, shows_the_loop_its_accidents_and_a_report) {
  const Outcome trained = run({"--steps", "70000", "--seed", "2"});
  ASSERT_TRUE(trained.said.is_object()) << errors();
  const bool validated = check_of(trained.said, "passed its validation");
  EXPECT_EQ(trained.said["closed_loop"].is_object(), validated);  // automatic mode refuses what was not validated
  EXPECT_EQ(trained.status, trained.said["passed"] ? 0 : 1);
  EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));

  ASSERT_NO_FATAL_FAILURE(approve());
  const Outcome shown = run({"--keep"});
  ASSERT_TRUE(shown.said.is_object()) << errors();
  EXPECT_EQ(shown.status, shown.said["passed"] ? 0 : 1) << errors();
  for (const char* claim :
       {"ran the whole season over encrypted OPC UA", "has a decision on record for every step",
        "earned what the evaluation predicted, accidents or not", "goes on after the twin was killed and came back",
        "goes on after the agent was killed", "wrote nothing outside the limits",
        "computes every decision again to the same bits", "stopped in order"})
    EXPECT_TRUE(check_of(shown.said, claim)) << claim << "\n" << shown.said["checks"].dump(1) << errors();
  const json& loop = shown.said["closed_loop"];
  EXPECT_EQ(loop["steps"], 192);
  EXPECT_EQ(loop["incidents"].size(), 2U);
  EXPECT_GE(loop["reconnects"], 1);
  EXPECT_NEAR(loop["return"], shown.said["season"][0]["return"], 1e-6);
  EXPECT_EQ(shown.said["season"].size(), 6U);
  if (!std::filesystem::exists(kBrowser)) GTEST_SKIP() << "the report was not drawn: there is no " << kBrowser;
  EXPECT_THAT(drawn(shown.said["report"]), AllOf(Ge(12U), Eq(charts_of(shown.said["report"]))));
}

}  // namespace
}  // namespace rltune
