// Our link against a server made with another project's library (node-opcua): encrypted, by user name, every
// kind of node, faults. tests/peers holds the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <format>

#include "child_process.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/plant/opcua_browse.hpp"
#include "rltune/plant/opcua_link.hpp"
#include "rltune/plant/opcua_pki.hpp"
#include "temporary_folder.hpp"

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr const char* kPeers = RLTUNE_SOURCE_DIR "/tests/peers";
constexpr const char* kServerUri = "urn:rltune:peer:server";

std::string node(const std::string& name) { return "nsu=urn:rltune:peer:plant;s=" + name; }
bool good(const Sample& sample) { return sample.quality == Quality::good; }

class OpcuaPeerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(std::string(kPeers) + "/node_modules/node-opcua"))
      GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
    const auto client = *OpcuaPki::open(path("client"));
    const auto server = *OpcuaPki::open(path("server"));
    const auto now = WallClock().now();
    ASSERT_TRUE(client.identity({.application_uri = "urn:rltune:peer:client"}, now));
    const auto identity = server.identity({.application_uri = kServerUri, .hosts = {"localhost", "127.0.0.1"}}, now);
    ASSERT_TRUE(client.trust_der(identity->certificate));
    options_.url = std::format("opc.tcp://127.0.0.1:{}", port_);
    options_.server_application_uri = kServerUri;
    options_.pki = path("client");
    options_.user = "operator";
    options_.password = "secret";
    options_.publishing_interval = 50ms;
    options_.sampling_interval = 20ms;
    options_.inactivity_timeout = 1s;
    options_.call_timeout = 5s;
  }

  void serve() {
    server_.emplace(
        std::vector<std::string>{"/usr/bin/node", std::string(kPeers) + "/server.mjs", "--port", std::to_string(port_),
                                 "--uri", kServerUri, "--own", path("server/own"), "--trust",
                                 path("client/own/cert.der"), "--later", path("client/own/next.der"), "--folder",
                                 path("peer"), "--user", "operator", "--password", "secret"},
        path("peer.log"));
    for (auto line = server_->read_line(60s); line != "ready"; line = server_->read_line(60s))
      ASSERT_TRUE(line) << read_file(path("peer.log")).value_or("no log");
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  template <typename Condition>
  static std::optional<Sample> wait_for(PlantLink& link, std::uint32_t tag, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    std::array<Sample, 64> samples;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto count = link.poll(samples, 50ms);
      for (std::size_t i = 0; i < count; ++i)
        if (samples[i].tag == tag && condition(samples[i])) return samples[i];
    }
    return std::nullopt;
  }

  const int port_ = testing::free_port();
  TemporaryFolder folder_;
  OpcuaOptions options_;
  std::optional<testing::ChildProcess> server_;
};

TEST_F(OpcuaPeerTest, every_kind_of_node_is_read_and_written_encrypted) {
  serve();
  const std::vector<TagBinding> tags = {{.name = "temperature", .node = node("Temperature"), .unit = "degC"},
                                        {.name = "valve", .node = node("Valve"), .unit = {}, .writable = true},
                                        {.name = "pump", .node = node("Pump"), .unit = {}, .writable = true},
                                        {.name = "stage", .node = node("Stage"), .unit = {}, .writable = true},
                                        {.name = "mode", .node = node("Mode"), .unit = {}, .writable = true},
                                        {.name = "forecast", .node = node("Forecast"), .unit = {}, .elements = 4},
                                        {.name = "third", .node = node("Forecast[2]"), .unit = {}, .writable = true},
                                        {.name = "level", .node = node("Tank.Level"), .unit = {}},
                                        {.name = "tank_mode", .node = node("Tank.Mode"), .unit = {}}};
  for (const char* policy : {"Aes256_Sha256_RsaPss", "Basic256Sha256"}) {
    options_.security = policy;
    OpcuaLink link(options_);
    const auto opened = link.open(tags);
    ASSERT_TRUE(opened) << policy << ": " << opened.error().message;
    std::vector<double> values(tags.size(), std::nan(""));
    std::array<Sample, 64> samples;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::ranges::any_of(values, [](double v) { return std::isnan(v); }) &&
           std::chrono::steady_clock::now() < deadline) {
      const auto count = link.poll(samples, 100ms);
      for (std::size_t i = 0; i < count; ++i)
        if (good(samples[i]) && samples[i].element == 0) values[samples[i].tag] = samples[i].value;
    }
    EXPECT_GE(values[0], 20.0);
    EXPECT_EQ(values[5], 1.0);
    EXPECT_EQ(values[7], 1.25);
    EXPECT_EQ(values[8], 1.0);
    const std::array<std::uint32_t, 5> indices{1, 2, 3, 4, 6};
    const std::array<double, 5> written{42.5, 1.0, -7.0, 1.0, 3.25};
    std::array<WriteOutcome, 5> outcomes;
    ASSERT_TRUE(link.write(indices, written, outcomes));
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      EXPECT_TRUE(outcomes[i].accepted && outcomes[i].verified)
          << tags[indices[i]].name
          << std::format(" status 0x{:08X} read back {}", outcomes[i].status, outcomes[i].read_back);
  }
}

TEST_F(OpcuaPeerTest, a_steady_stream_of_changes_arrives_whole) {
  serve();
  OpcuaLink link(options_);
  const auto opened =
      link.open(std::vector<TagBinding>{{.name = "temperature", .node = node("Temperature"), .unit = {}}});
  ASSERT_TRUE(opened) << opened.error().message;
  Sample first;
  ASSERT_EQ(link.poll({&first, 1}, 5s), 1u);
  double expected = first.value;
  for (int i = 0; i < 24; ++i) {  // three seconds of the peer's 8 changes a second
    Sample next;
    ASSERT_EQ(link.poll({&next, 1}, 5s), 1u);
    EXPECT_EQ(next.value, expected += 0.5);
  }
  EXPECT_EQ(link.status().overflows, 0u);
}

TEST_F(OpcuaPeerTest, what_does_not_fit_is_named) {
  serve();
  const auto refusal = [&](TagBinding binding) {
    OpcuaLink link(options_);
    const auto opened = link.open(std::vector{binding});
    return opened ? Error{} : opened.error();
  };
  EXPECT_EQ(refusal({.name = "label", .node = node("Label"), .unit = {}}).code, Errc::mismatch);
  EXPECT_EQ(refusal({.name = "lost", .node = node("Nowhere"), .unit = {}}).code, Errc::not_found);
  EXPECT_THAT(refusal({.name = "air", .node = node("Temperature"), .unit = "K"}).message, HasSubstr("air"));
  EXPECT_THAT(refusal({.name = "tank", .node = node("Tank.Depth"), .unit = {}}).message, HasSubstr("Depth"));
  options_.password = "guess";
  EXPECT_EQ(refusal({.name = "valve", .node = node("Valve"), .unit = {}}).code, Errc::denied);
}

TEST_F(OpcuaPeerTest, a_killed_and_a_hung_peer_are_noticed_and_found_again) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector<TagBinding>{{.name = "temperature", .node = node("Temperature"), .unit = {}}}));
  ASSERT_TRUE(wait_for(link, 0, good));
  server_->signal(SIGSTOP);
  const auto hung = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.quality == Quality::bad; }));
  EXPECT_LT(std::chrono::steady_clock::now() - hung, options_.inactivity_timeout + 300ms);
  server_->signal(SIGCONT);
  ASSERT_TRUE(wait_for(link, 0, good));
  server_.reset();
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.quality == Quality::bad; }));
  serve();
  EXPECT_TRUE(wait_for(link, 0, good));
}

TEST_F(OpcuaPeerTest, browsing_lists_what_a_site_needs) {
  serve();
  const auto found = browse(options_);
  ASSERT_TRUE(found) << found.error().message;
  const auto variable = [&](const std::string& name) {
    const auto at = std::ranges::find(*found, name, &BrowsedVariable::name);
    return at == found->end() ? BrowsedVariable{} : *at;
  };
  const auto temperature = variable("Temperature");
  EXPECT_EQ(temperature.node, node("Temperature"));
  EXPECT_EQ(temperature.path, "Plant/Temperature");
  EXPECT_EQ(temperature.unit, "°C");
  EXPECT_EQ(temperature.low, -20.0);
  EXPECT_EQ(temperature.high, 60.0);
  EXPECT_TRUE(temperature.is_number && temperature.value);
  EXPECT_EQ(variable("Mode").data_type, "ModeType");
  EXPECT_TRUE(variable("Mode").is_number);
  EXPECT_EQ(variable("Forecast").elements, 4u);
  EXPECT_FALSE(variable("Label").is_number);
  EXPECT_EQ(variable("Tank").data_type, "TankType");
  EXPECT_EQ(variable("EngineeringUnits").node, "");  // properties are no tags
}

TEST_F(OpcuaPeerTest, our_next_certificate_is_used_once_the_server_trusts_it_and_no_more_than_a_period_is_missed) {
  const auto ending = *make_identity({.application_uri = "urn:rltune:peer:client", .days = 30},
                                     WallClock().now() - std::chrono::days(25));
  ASSERT_TRUE(write_secret_file(path("client/own/key.der"), ending.key));
  ASSERT_TRUE(write_file(path("client/own/cert.der"), ending.certificate));
  serve();
  OpcuaOptions strangers = options_;
  strangers.pki = path("stranger");
  ASSERT_TRUE(OpcuaPki::open(strangers.pki)->trust(path("server/own/cert.der")));
  const auto refused = OpcuaLink(strangers).open(std::vector<TagBinding>{{"valve", node("Valve"), {}, true}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_THAT(refused.error().message, HasSubstr("stranger/own/cert.der"));
  options_.renewal_look = 200ms;
  options_.inactivity_timeout = 5s;
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector<TagBinding>{{"valve", node("Valve"), {}, true}});
  ASSERT_TRUE(opened) << opened.error().message;
  // A period: a write that the server confirms.
  const auto period = 500ms;
  int missed = 0;
  const auto periods_until = [&](auto condition, int most) {
    for (int i = 0; i < most && !condition(); ++i) {
      const auto end = std::chrono::steady_clock::now() + period;
      std::array<WriteOutcome, 1> outcome;
      if (!link.write(std::array{0u}, std::array{i % 2 == 0 ? 10.0 : 20.0}, outcome)) ++missed;
      std::array<Sample, 64> samples;
      while (std::chrono::steady_clock::now() < end) link.poll(samples, 50ms);
    }
    return condition();
  };
  ASSERT_TRUE(periods_until([&] { return std::filesystem::exists(path("client/own/next.der")); }, 20));
  EXPECT_FALSE(periods_until([&] { return link.status().renewals > 0; }, 4)) << "it is not trusted yet";
  server_->signal(SIGUSR1);
  ASSERT_TRUE(periods_until([&] { return link.status().renewals == 1; }, 60)) << link.status().reason;
  periods_until([] { return false; }, 4);
  RecordProperty("missed", missed);
  EXPECT_LE(missed, 1);
  EXPECT_EQ(link.status().reconnects, 0u);
}

}  // namespace
}  // namespace rltune::plant
