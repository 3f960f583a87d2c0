// What tests of forwarding to real receivers share: records in memory, a forwarder that tries again quickly.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "memory_source.hpp"
#include "rltune/forward/delivery.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune::forward {

class ForwardFixture : public ::testing::Test {
 protected:
  std::unique_ptr<Forwarder> start(const config::Sink& sink, const std::string& stream, Duration timeout) {
    auto delivery = make_delivery(sink, stream, folder_.path(), clock_, timeout);
    EXPECT_TRUE(delivery) << delivery.error().message;
    ForwarderOptions options = options_of(sink, stream);
    options.site = "north";
    options.buffer_id = kBuffer;
    options.folder = folder_.path() / "progress";
    options.retry_first = std::chrono::milliseconds(1);
    options.retry_max = options.denied_first = options.denied_max = std::chrono::milliseconds(20);
    auto forwarder = Forwarder::start(source_, std::move(*delivery), options, clock_);
    EXPECT_TRUE(forwarder) << forwarder.error().message;
    return std::move(*forwarder);
  }
  void forget_progress() const { std::filesystem::remove_all(folder_.path() / "progress"); }
  void add_log(const std::string& message, const nlohmann::json& attributes = nlohmann::json::object()) {
    source_.add({nlohmann::json{
        {"timestamp", "2025-08-25T10:00:00Z"},
        {"service", "io"},
        {"level", "INFO"},
        {"message", message},
        {"attributes",
         attributes}}.dump()});
  }
  void add_metric(telemetry::MetricSample sample) { source_.add({telemetry::to_payload(sample)}); }

  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + time_limit(std::chrono::seconds(20));
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return condition();
  }

  TemporaryFolder folder_;
  WallClock clock_;
  MemorySource source_;
};

}  // namespace rltune::forward
