#include "rltune/twin/twin.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "season.hpp"
#include "test_client.hpp"

namespace rltune::twin {
namespace {

using testing::ClientOptions;
using testing::TestClient;

// A twin in a thread, its keys and a client's in a folder of their own.
class TwinTest : public ::testing::Test {
 protected:
  TwinTest() : folder_(std::filesystem::path(::testing::TempDir()) / std::format("twin_{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
    options_.simulation = testing::lettuce_season();
    options_.clock = ClockMode::plant;
    options_.port = 0;
    options_.pki = folder_ / "server";
    options_.host = {"io", "a good password"};
    options_.operators = {{"dcs", "another password"}};
    options_.shed_after = Duration::zero();
    identity_ = *plant::OpcuaPki::open(folder_ / "client")
                     ->identity({.application_uri = "urn:rltune:test:client"}, WallClock().now());
    options_.trust = {folder_ / "client/own/cert.der"};
  }
  ~TwinTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void serve() {
    auto twin = Twin::start(options_, clock_);
    ASSERT_TRUE(twin) << twin.error().message;
    twin_ = std::move(*twin);
    thread_ = std::thread([this] { std::ignore = twin_->run([this] { return stop_.load(); }); });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    twin_.reset();
    stop_ = false;
  }
  ClientOptions client(const std::string& user = "io", const std::string& password = "a good password") const {
    return {.url = twin_->url(), .user = user, .password = password, .identity = &identity_};
  }
  // Writes `inputs`, advances, and waits for the new step to be published.
  void advance(TestClient& client, std::uint32_t to) {
    ASSERT_EQ(client.write_count("clock_advance", to), UA_STATUSCODE_GOOD);
    for (int i = 0; i < 2000 && client.read("clock_step") < to; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(client.read("clock_step"), to);
  }

  std::filesystem::path folder_;
  TwinOptions options_;
  WallClock clock_;
  plant::Identity identity_;
  std::unique_ptr<Twin> twin_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;
};

TEST_F(TwinTest, shows_the_plant_to_an_encrypted_client) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  EXPECT_EQ(client.read("air_temperature"), 15.0);
  EXPECT_EQ(client.read("heating"), 50.0);
  EXPECT_EQ(client.read("clock_step"), 0.0);
}

TEST_F(TwinTest, lockstep_over_subscriptions_returns_what_the_model_computes) {
  serve();
  TestClient client(this->client());
  ASSERT_EQ(client.connect(), UA_STATUSCODE_GOOD);
  const std::vector<std::string> names{"dry_weight", "co2", "air_temperature", "relative_humidity", "clock_step"};
  ASSERT_EQ(client.subscribe(names, 100.0, 50.0), UA_STATUSCODE_GOOD);  // revised by the server in lockstep
  const auto model = testing::make_simulation(testing::lettuce_season());
  std::vector<double> inputs(3);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t step = 0; step < 250; ++step) {
    inputs = {0.6 * (step % 3 == 0), 0.01 * (step % 200), 60.0 + 40.0 * std::sin(step)};
    for (std::size_t i = 0; i < 3; ++i)
      ASSERT_EQ(client.write_real(std::vector<std::string>{"co2_supply", "ventilation", "heating"}[i], inputs[i]),
                UA_STATUSCODE_GOOD);
    ASSERT_EQ(client.write_count("clock_advance", step + 1), UA_STATUSCODE_GOOD);
    model->step(inputs);
    std::vector<double> seen(5);
    while (seen[4] != step + 1) {
      ASSERT_EQ(client.poll(client.changes().empty() ? 100 : 0), UA_STATUSCODE_GOOD);
      while (!client.changes().empty()) {
        seen[client.changes().front().item] = client.changes().front().value;
        client.changes().pop_front();
      }
    }
    for (std::size_t i = 0; i < 4; ++i)
      ASSERT_EQ(seen[i], model->snapshot(0).measurements[i]) << names[i] << " at step " << step;
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("ms_per_step", std::to_string(took.count() / 250));
  std::printf("lockstep: %.2f ms a step\n", took.count() / 250);
}

}  // namespace
}  // namespace rltune::twin
