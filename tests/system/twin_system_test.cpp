// `rltune twin serve` as a process: what it says, how it stops, and that a season survives kill -9.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "child_process.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/env/simulation.hpp"
#include "rltune/env/weather.hpp"
#include "rltune/plant/opcua_link.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "temporary_folder.hpp"

namespace rltune {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ChildProcess;

class TwinSystemTest : public ::testing::Test {
 protected:
  TwinSystemTest() {
    pki_ = *plant::OpcuaPki::open(path("client"));
    EXPECT_TRUE(pki_->identity({.application_uri = "urn:rltune:test:client"}, WallClock().now()));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Starts the twin, waits until it is ready, and trusts it.
  void serve(std::vector<std::string> arguments, int port = 0) {
    std::vector<std::string> command{std::string(RLTUNE_BIN_DIR) + "/rltune",
                                     "twin",
                                     "serve",
                                     "--json",
                                     "--pki",
                                     path("server"),
                                     "--trust",
                                     path("client/own/cert.der"),
                                     "--port",
                                     std::to_string(port)};
    command.insert(command.end(), arguments.begin(), arguments.end());
    twin_ = std::make_unique<ChildProcess>(command, path("twin.log"));
    const auto line = twin_->read_line(seconds(20));
    ASSERT_TRUE(line) << *read_file(path("twin.log"));
    ready_ = nlohmann::json::parse(*line);
    ASSERT_TRUE(pki_->trust(ready_["certificate"].get<std::string>()));
  }
  plant::OpcuaOptions link_options() const {
    plant::OpcuaOptions options;
    options.url = ready_["url"];
    options.server_application_uri = ready_["application_uri"];
    options.application_uri = "urn:rltune:test:client";
    options.pki = path("client");
    options.user = ready_["user"];
    options.password = *read_file(ready_["password_file"].get<std::string>());
    options.password.pop_back();
    return options;
  }
  std::vector<plant::TagBinding> bindings(std::initializer_list<const char*> names) const {
    std::vector<plant::TagBinding> tags;
    for (const auto& tag : ready_["tags"])
      for (const char* name : names)
        if (tag["name"] == name)
          tags.push_back({.name = name, .node = tag["node"], .writable = tag["access"] == "write"});
    EXPECT_EQ(tags.size(), names.size());
    return tags;
  }
  // Polls until every tag of `seen` has a good value and the step counter, its last one, stands at `step`.
  static bool wait_for_step(plant::PlantLink& link, double step, std::vector<double>& seen,
                            milliseconds patience = seconds(10)) {
    std::vector<Sample> samples(256);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (seen.back() != step && std::chrono::steady_clock::now() < deadline) {
      const std::size_t count = link.poll(samples, milliseconds(100));
      for (std::size_t i = 0; i < count; ++i)
        if (samples[i].quality == Quality::good) seen[samples[i].tag] = samples[i].value;
    }
    return seen.back() == step;
  }
  static bool write(plant::PlantLink& link, std::uint32_t tag, double value) {
    plant::WriteOutcome outcome;
    return link.write(std::span(&tag, 1), std::span(&value, 1), std::span(&outcome, 1)) && outcome.accepted;
  }

  TemporaryFolder folder_;
  std::optional<plant::OpcuaPki> pki_;
  std::unique_ptr<ChildProcess> twin_;
  nlohmann::json ready_;
};

TEST_F(TwinSystemTest, says_where_it_is_and_stops_on_sigterm) {
  serve({"--plant", "cstr"});
  EXPECT_EQ(ready_["namespace"], "urn:rltune:twin:cstr");
  EXPECT_TRUE(std::filesystem::exists(ready_["certificate"].get<std::string>()));
  const auto perms = std::filesystem::status(ready_["password_file"].get<std::string>()).permissions();
  EXPECT_EQ(perms & std::filesystem::perms::others_all, std::filesystem::perms::none);
  twin_->signal(SIGTERM);
  EXPECT_EQ(twin_->wait(seconds(5)), 0);
  EXPECT_FALSE(twin_->read_line(milliseconds(10)));  // exactly one object on stdout
}

TEST_F(TwinSystemTest, tells_wrong_usage_from_failure) {
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {std::string(RLTUNE_BIN_DIR) + "/rltune", "twin", "serve", "--pki", path("server")});
    return ChildProcess(arguments, path("twin.log")).wait(seconds(20));
  };
  EXPECT_EQ(run({"--plant", "tomato"}), 2);
  EXPECT_NE(read_file(path("twin.log"))->find("lettuce"), std::string::npos);
  EXPECT_EQ(run({"--set", "c_leek=1"}), 2);
  EXPECT_EQ(run({"--set", "c_leak"}), 2);
  EXPECT_EQ(run({"--clock", "lunar"}), 2);
  EXPECT_EQ(run({"--start", "yesterday"}), 2);
  EXPECT_EQ(run({"--weather", "missing.csv"}), 2);
  EXPECT_EQ(run({"--listen", "203.0.113.7"}), 1);  // an address of nobody (RFC 5737)
}

TEST_F(TwinSystemTest, a_whole_season_in_lockstep_is_the_models_own) {
  serve({"--clock", "plant", "--shed-after", "0", "--weather-seed", "3"});
  plant::OpcuaLink link(link_options());
  const auto tags = bindings({"air_temperature", "heating", "season_return", "clock_advance", "clock_step"});
  ASSERT_EQ(tags[1].name, "heating");
  const auto opened = link.open(tags);
  ASSERT_TRUE(opened) << opened.error().message;

  auto task = *env::make_task("lettuce");
  const auto weather = env::synthesize_weather({.seed = 3 * 1000003, .year = 2014, .days = 365});
  const auto series = *env::to_exogenous(weather, (*env::make_plant("lettuce", 1))->spec());
  const auto start = *env::start_at(series, task, *parse_rfc3339("2014-02-09"));
  auto model = std::move(*env::Simulation::make({.task = task, .starts = {start}}));
  model->reset(1);

  double expected = 0.0;
  std::vector<double> seen(tags.size(), -1.0);
  const auto begin = std::chrono::steady_clock::now();
  for (int step = 0; step < 1920; ++step) {
    const double heating = 50.0 + 10.0 * std::sin(step);
    ASSERT_TRUE(write(link, 1, heating));
    ASSERT_TRUE(write(link, 3, step + 1.0));
    ASSERT_TRUE(wait_for_step(link, step + 1.0, seen)) << "step " << step;
    model->step(std::vector{0.0, 0.0, heating});
    expected += model->reward(0);
    ASSERT_EQ(seen[0], model->snapshot(0).measurements[2]) << "step " << step;
  }
  EXPECT_EQ(seen[2], expected);
  EXPECT_FALSE(write(link, 3, 1921.0));  // the season is over
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("a season of 1920 steps in lockstep: %.1f s\n", took);
  RecordProperty("season_s", std::to_string(took));
}

// The reference: -73.57157594819853, of the published season with the start inputs held (van Laatum et al. 2026).
TEST_F(TwinSystemTest, holding_through_the_published_season_costs_what_is_published) {
  const std::string weather = std::string(RLTUNE_SOURCE_DIR) + "/../shared/data/weather-bleiswijk-2014.csv.gz";
  if (!std::filesystem::exists(weather)) GTEST_SKIP() << weather << " is not here";
  serve({"--clock", "plant", "--shed-after", "0", "--weather", weather, "--start", "2014-02-09"});
  plant::OpcuaLink link(link_options());
  ASSERT_TRUE(link.open(bindings({"season_return", "clock_advance", "clock_step"})));
  std::vector<double> seen(3, -1.0);
  for (int step = 1; step <= 1920; ++step) {
    ASSERT_TRUE(write(link, 1, step));
    ASSERT_TRUE(wait_for_step(link, step, seen)) << "step " << step;
  }
  EXPECT_NEAR(seen[0], -73.57157594819853, 1e-9);
}

TEST_F(TwinSystemTest, a_killed_twin_goes_on_where_it_was) {
  const std::vector<std::string> arguments{"--clock", "plant", "--shed-after", "0", "--state", path("season.journal")};
  serve(arguments);
  const std::string url = ready_["url"];
  const int port = std::stoi(url.substr(url.rfind(':') + 1));
  plant::OpcuaLink link(link_options());
  const auto tags = bindings({"air_temperature", "heating", "clock_advance", "clock_step"});
  ASSERT_TRUE(link.open(tags));
  std::vector<double> seen(tags.size(), -1.0);
  for (int step = 1; step <= 30; ++step) {
    ASSERT_TRUE(write(link, 1, 50.0 + step));
    ASSERT_TRUE(write(link, 2, step));
    ASSERT_TRUE(wait_for_step(link, step, seen));
  }
  const double temperature = seen[0];
  twin_->signal(SIGKILL);
  ASSERT_EQ(twin_->wait(seconds(5)), 128 + SIGKILL);

  // A last line that the kill left half-written is the worst it can do.
  std::ofstream(path("season.journal"), std::ios::app) << "step 31 0 0";
  const auto begin = std::chrono::steady_clock::now();
  serve(arguments, port);
  const auto back = std::chrono::steady_clock::now();
  std::ranges::fill(seen, -1.0);
  ASSERT_TRUE(wait_for_step(link, 30, seen));
  const auto flowing = std::chrono::steady_clock::now() - back;
  std::printf("started in %.2f s, values flow %.2f s later\n", std::chrono::duration<double>(back - begin).count(),
              std::chrono::duration<double>(flowing).count());
  EXPECT_LT(flowing, seconds(2));
  EXPECT_EQ(seen[0], temperature);
  EXPECT_EQ(seen[1], 80.0);
  ASSERT_TRUE(write(link, 2, 31.0));
  EXPECT_TRUE(wait_for_step(link, 31, seen));
}

// node-opcua is another project's reading of the protocol.
TEST_F(TwinSystemTest, node_opcuas_client_reads_and_writes_the_twin) {
  const std::string peers = std::string(RLTUNE_SOURCE_DIR) + "/tests/peers";
  if (!std::filesystem::exists(peers + "/node_modules/node-opcua"))
    GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  serve({"--clock", "plant", "--shed-after", "0"});
  const auto ask = [&](const std::string& password, std::vector<std::string> commands) {
    std::vector<std::string> call{"/usr/bin/node", peers + "/client.mjs",    "--url",      ready_["url"],
                                  "--uri",         "urn:rltune:test:client", "--own",      path("client/own"),
                                  "--trust",       ready_["certificate"],    "--folder",   path("peer"),
                                  "--user",        ready_["user"],           "--password", password};
    call.insert(call.end(), commands.begin(), commands.end());
    ChildProcess node(call, path("peer.log"));
    const auto line = node.read_line(seconds(60));
    return nlohmann::json::parse(line.value_or(R"({"error": "no answer"})"));
  };
  const auto node = [](const std::string& name) { return "nsu=urn:rltune:twin:lettuce;s=" + name; };
  const std::string password = link_options().password;

  const auto answer = ask(password, {"read",
                                     node("air_temperature"),
                                     "write",
                                     node("heating"),
                                     "60",
                                     "write",
                                     node("heating"),
                                     "500",
                                     "write",
                                     node("heating"),
                                     "NaN",
                                     "write",
                                     node("air_temperature"),
                                     "20",
                                     "write",
                                     node("heating_mode"),
                                     "0",
                                     "write",
                                     node("clock_advance"),
                                     "1",
                                     "watch",
                                     node("clock_step"),
                                     "1",
                                     "read",
                                     node("heating_applied"),
                                     "read",
                                     node("global_radiation_forecast"),
                                     "read",
                                     node("forecast_issued"),
                                     "history",
                                     node("air_temperature")});
  ASSERT_TRUE(answer.contains("results")) << answer << *read_file(path("peer.log"));
  const auto& results = answer["results"];
  EXPECT_EQ(results[0]["value"], 15.0);
  EXPECT_EQ(results[0]["sourceTimestamp"], "2014-02-09T00:00:00.000Z");
  EXPECT_EQ(results[1], nlohmann::json({{"status", "Good"}, {"readBack", 60}}));
  EXPECT_EQ(results[2], nlohmann::json({{"status", "BadOutOfRange"}, {"readBack", 60}}));
  EXPECT_EQ(results[3], nlohmann::json({{"status", "BadOutOfRange"}, {"readBack", 60}}));
  EXPECT_EQ(results[4]["status"], "BadNotWritable");
  EXPECT_EQ(results[5]["status"], "BadUserAccessDenied");
  EXPECT_EQ(results[6]["status"], "Good");
  EXPECT_EQ(results[7][0]["value"], 1);
  EXPECT_EQ(results[8]["value"], 60);
  EXPECT_EQ(results[9]["value"].size(), 12U);
  EXPECT_EQ(results[10]["value"], "2014-02-09T00:30:00.000Z");
  ASSERT_EQ(results[11].size(), 4U) << results[11];  // two values between two bounds that nothing lies beyond
  EXPECT_EQ(results[11][0]["status"], "BadBoundNotFound");
  EXPECT_EQ(results[11][1]["value"], 15.0);
  EXPECT_EQ(results[11][2]["sourceTimestamp"], "2014-02-09T00:30:00.000Z");
  EXPECT_EQ(results[11][3]["status"], "BadBoundNotFound");

  EXPECT_TRUE(ask("a guess", {"read", node("air_temperature")}).contains("error"));
}

}  // namespace
}  // namespace rltune
