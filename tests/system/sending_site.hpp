// The sending side of a site for tests of who receives: a real buffer of logs and one of metrics, filled without end,
// and their real forwarders.
#pragma once

#include <atomic>
#include <format>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "rltune/base/clock.hpp"
#include "rltune/base/id.hpp"
#include "rltune/forward/delivery.hpp"
#include "rltune/telemetry/intake.hpp"
#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::testing {

class SendingSite {
 public:
  static constexpr std::int64_t kBegin = 1'756'116'000'000;  // of the samples, ms

  class Stream {
   public:
    Stream(std::string name, const config::Sink& sink, const std::filesystem::path& folder, const Clock& clock)
        : name_(std::move(name)), buffer_id_(make_id(clock.now())) {
      auto storage = telemetry::open_folder(folder / name_);
      auto buffer = telemetry::Buffer::open(std::move(*storage), clock, {.free_bytes_min = 0});
      intake_ = std::make_unique<telemetry::Intake>(std::move(*buffer));
      forward::ForwarderOptions options = forward::options_of(sink, name_);
      options.site = "north";
      options.buffer_id = buffer_id_;
      options.folder = folder / "progress" / name_;
      options.retry_first = options.denied_first = std::chrono::milliseconds(2);
      options.retry_max = options.denied_max = std::chrono::milliseconds(20);
      auto delivery = forward::make_delivery(sink, name_, folder, clock, std::chrono::seconds(5));
      forwarder_ = std::move(*forward::Forwarder::start(*intake_, std::move(*delivery), options, clock));
    }
    const std::string& name() const noexcept { return name_; }
    std::uint64_t acknowledged() const { return intake_->acknowledged(); }
    bool is_sent() const { return forwarder_->taken() == acknowledged(); }
    forward::Figures figures() const { return forwarder_->figures(); }
    std::string id(std::uint64_t number) const { return forward::record_id(buffer_id_, name_, number); }

    // Each tells its number, so that one that changed would be seen.
    std::string entry(std::uint64_t number) const {
      if (name_ == "metrics")
        return telemetry::to_payload({"rltune_test",
                                      {{"series", std::to_string(number % 10)}},
                                      kBegin + static_cast<std::int64_t>(number),
                                      static_cast<double>(number) + 0.5});
      return std::format(R"({{"timestamp":"2025-08-25T10:00:00Z","service":"io","level":"INFO","message":"entry {}"}})",
                         number);
    }
    bool add(std::uint64_t records) {
      telemetry::Payloads payloads;
      for (std::uint64_t i = 1; i <= records; ++i) payloads.add(entry(acknowledged() + i));
      const bool done = intake_->commit(std::move(payloads)).has_value();
      forwarder_->notify();
      return done;
    }

   private:
    std::string name_, buffer_id_;
    std::unique_ptr<telemetry::Intake> intake_;
    std::unique_ptr<forward::Forwarder> forwarder_;
  };

  SendingSite(const config::Sink& sink, const std::filesystem::path& folder)
      : logs_("logs", sink, folder, clock_), metrics_("metrics", sink, folder, clock_) {}
  ~SendingSite() { stop_filling(); }
  SendingSite(const SendingSite&) = delete;
  SendingSite& operator=(const SendingSite&) = delete;

  std::array<Stream*, 2> streams() { return {&logs_, &metrics_}; }
  Stream& logs() { return logs_; }

  // From now on some hundreds of records wait to be sent.
  void fill() {
    filling_ = true;
    thread_ = std::thread([this] {
      while (filling_) {
        for (Stream* stream : streams())
          if (stream->figures().waiting_records < 500) stream->add(20);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  void stop_filling() {
    filling_ = false;
    if (thread_.joinable()) thread_.join();
  }

 private:
  WallClock clock_;
  Stream logs_, metrics_;
  std::atomic<bool> filling_ = false;
  std::thread thread_;
};

}  // namespace rltune::testing
