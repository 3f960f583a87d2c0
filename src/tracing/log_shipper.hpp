// Sends what this process logs to the site's telemetry role, which keeps it. Nobody who logs ever waits for it: lines
// go through a bounded queue without a lock; what finds no room there is dropped, counted
// (rltune_role_log_entries_total{outcome="dropped"}), and told of in an entry as soon as the way is free again. Each
// entry carries an id, so that one that is sent twice counts once.
//
// Threads: one of its own, at ordinary priority. Internal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rltune/base/bounded_queue.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/http/client.hpp"
#include "rltune/metrics/registry.hpp"

namespace rltune::tracing {

class LogShipper final : public log::Listener {
 public:
  struct Options {
    std::filesystem::path endpoint_file;  // telemetry.json of the run folder: {"url": ..., "token": ...}
    std::string role;
    Duration every = std::chrono::milliseconds(250);
    std::size_t lines_max = 4'096, bytes_max = std::size_t{4} << 20U;  // that wait
  };
  LogShipper(Options options, metrics::Registry& registry);
  // Sends what waits, for half a second at most.
  ~LogShipper() override;
  LogShipper(const LogShipper&) = delete;
  LogShipper& operator=(const LogShipper&) = delete;

  void hear(const log::Line& line) noexcept override;

 private:
  void run();
  void turn();
  void fill_batch();
  void tell_of_dropped();
  bool send_batch();
  bool send_each();
  Result<long> post(const std::string& body);
  void sent(std::size_t entries);
  void lost_way(const std::string& reason);
  std::string entry_of(const log::Line& line);

  const Options options_;
  WallClock clock_;
  const std::string id_;  // of this process
  Breaker breaker_;
  metrics::Circuit circuit_;
  metrics::Counter &sent_, &refused_, &dropped_;
  BoundedQueue<std::string*> queue_;
  std::atomic<std::size_t> waiting_bytes_ = 0;
  std::atomic<std::uint64_t> entries_ = 0, dropped_count_ = 0;
  std::uint64_t told_dropped_ = 0;
  std::vector<std::string> batch_;
  http::Client client_;

  std::mutex mutex_;
  std::condition_variable ends_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rltune::tracing
