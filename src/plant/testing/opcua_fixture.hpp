// A test server and a client's options that trust each other. Keys are made once a test program.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <format>
#include <optional>

#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/plant/opcua_link.hpp"
#include "temporary_folder.hpp"
#include "test_server.hpp"
#include "time_limit.hpp"

namespace rltune::plant {

class OpcuaFixture : public ::testing::Test {
 protected:
  static constexpr const char* kClientUri = "urn:rltune:test:client";

  OpcuaFixture() {
    using std::chrono::milliseconds;
    server_options_.port = free_port();
    server_options_.pki = folder_.path() / "server";
    server_options_.identity = server_identity();
    options_.url = std::format("opc.tcp://127.0.0.1:{}", server_options_.port);
    options_.server_application_uri = server_options_.application_uri;
    options_.pki = folder_.path() / "client";
    options_.user = "operator";
    options_.password = "secret";
    options_.publishing_interval = milliseconds(20);
    options_.sampling_interval = milliseconds(10);
    options_.inactivity_timeout = time_limit(milliseconds(500));
    options_.call_timeout = time_limit(milliseconds(2000));
    options_.reconnect_min = milliseconds(20);
    options_.reconnect_max = milliseconds(5000);
    client_pki_ = *OpcuaPki::open(options_.pki);
    server_pki_ = *OpcuaPki::open(server_options_.pki);
    EXPECT_TRUE(write_secret_file(options_.pki / "own" / "key.der", client_identity().key));
    EXPECT_TRUE(write_file(options_.pki / "own" / "cert.der", client_identity().certificate));
    EXPECT_TRUE(client_pki_->trust_der(server_identity().certificate));
    EXPECT_TRUE(server_pki_->trust_der(client_identity().certificate));
  }

  static Identity make(const std::string& uri, TimePoint from = WallClock().now() - std::chrono::hours(1)) {
    return *make_identity({.application_uri = uri, .hosts = {"localhost", "127.0.0.1"}, .days = 30}, from);
  }
  static const Identity& server_identity() {
    static const Identity identity = make(TestServerOptions{}.application_uri);
    return identity;
  }
  static const Identity& client_identity() {
    // Far from its end: no test but those of renewal sees one.
    static const Identity identity =
        *make_identity({.application_uri = kClientUri, .hosts = {"localhost", "127.0.0.1"}},
                       WallClock().now() - std::chrono::hours(1));
    return identity;
  }

  static std::string node(const std::string& name) { return std::format("nsu={};s={}", TestServer::kNamespace, name); }
  static TagBinding tag(const std::string& name, bool writable = false) {
    return {.name = name, .node = node(name), .unit = {}, .writable = writable};
  }

  void serve() { server_.emplace(server_options_); }

  // What open() says about these tags.
  Error refusal(const std::vector<TagBinding>& tags) {
    OpcuaLink link(options_);
    auto opened = link.open(tags);
    return opened ? Error{Errc::internal, "it opened"} : opened.error();
  }

  // Polls until a sample satisfies the condition; the samples before it are gone.
  template <typename Condition>
  static std::optional<Sample> wait_for(PlantLink& link, Condition condition,
                                        std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<Sample, 64> samples;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto count = link.poll(samples, std::chrono::milliseconds(20));
      for (std::size_t i = 0; i < count; ++i)
        if (condition(samples[i])) return samples[i];
    }
    return std::nullopt;
  }
  template <typename Condition>
  static std::optional<Sample> wait_for(PlantLink& link, std::uint32_t tag, Condition condition,
                                        std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    return wait_for(link, [&](const Sample& sample) { return sample.tag == tag && condition(sample); }, patience);
  }
  static bool wait_for_state(PlantLink& link, LinkState state,
                             std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (link.status().state == state) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  TemporaryFolder folder_;
  TestServerOptions server_options_;
  OpcuaOptions options_;
  std::optional<OpcuaPki> client_pki_, server_pki_;
  std::optional<TestServer> server_;
};

}  // namespace rltune::plant
