#include "rltune/plant/opcua_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/base/clock.hpp"
#include "temporary_folder.hpp"
#include "test_server.hpp"

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string node(const std::string& name) { return std::format("nsu={};s={}", TestServer::kNamespace, name); }

TagBinding tag(const std::string& name, bool writable = false) {
  return {.name = name, .node = node(name), .writable = writable};
}

// A server and a link that trust each other.
class OpcuaLinkTest : public ::testing::Test {
 protected:
  OpcuaLinkTest() {
    server_options_.port = free_port();
    server_options_.pki = folder_.path() / "server";
    options_.url = std::format("opc.tcp://127.0.0.1:{}", server_options_.port);
    options_.server_application_uri = server_options_.application_uri;
    options_.pki = folder_.path() / "client";
    options_.user = "operator";
    options_.password = "secret";
    options_.publishing_interval = 20ms;
    options_.sampling_interval = 10ms;
    options_.inactivity_timeout = 500ms;
    options_.call_timeout = 2s;
    options_.reconnect_min = 20ms;
    options_.reconnect_max = 200ms;
    introduce();
  }

  void introduce() {
    const auto server = OpcuaPki::open(server_options_.pki);
    const auto client = OpcuaPki::open(options_.pki);
    const auto now = WallClock().now();
    (void)client->trust_der(
        server->identity({.application_uri = server_options_.application_uri, .hosts = {"127.0.0.1"}}, now)
            ->certificate);
    (void)server->trust_der(client->identity({.hosts = {"127.0.0.1"}}, now)->certificate);
  }

  void serve() { server_.emplace(server_options_); }

  // Polls until a sample of the tag satisfies the condition, or 5 s.
  template <typename Condition>
  std::optional<Sample> wait_for(OpcuaLink& link, std::uint32_t tag, Condition condition,
                                 std::chrono::milliseconds patience = 5s) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<Sample, 64> samples;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto count = link.poll(samples, 50ms);
      for (std::size_t i = 0; i < count; ++i)
        if (samples[i].tag == tag && condition(samples[i])) return samples[i];
    }
    return std::nullopt;
  }

  TemporaryFolder folder_;
  TestServerOptions server_options_;
  OpcuaOptions options_;
  std::optional<TestServer> server_;
};

TEST_F(OpcuaLinkTest, values_arrive_by_encrypted_subscription) {
  serve();
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector{tag("Temperature")});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(link.status().state, LinkState::connected);
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.value == 20.0 && s.quality == Quality::good; }));
  server_->set("Temperature", 21.5);
  const auto sample = wait_for(link, 0, [](const Sample& s) { return s.value == 21.5; });
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->status, 0u);
  EXPECT_LT(std::chrono::abs(sample->source_time - sample->received_time), 1s);
}

TEST_F(OpcuaLinkTest, a_write_reaches_the_server_and_is_read_back) {
  serve();
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector{tag("Double", true), tag("Many3", true)});
  ASSERT_TRUE(opened) << opened.error().message;
  std::array<WriteOutcome, 2> outcomes;
  ASSERT_TRUE(link.write(std::array{0u, 1u}, std::array{1.5, -2.5}, outcomes));
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome.accepted && outcome.verified) << outcome.status;
  EXPECT_EQ(server_->get("Double"), 1.5);
  EXPECT_EQ(server_->get("Many3"), -2.5);
  EXPECT_GT(outcomes[0].latency, 0ns);
}

}  // namespace
}  // namespace rltune::plant
