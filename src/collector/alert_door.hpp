// GET /v1/alerts, POST /v1/alerts/{id}/acknowledge, POST /v1/channels/{name}/test. Internal.
//
// Threads: any.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "rltune/alerts/watch.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::collector {

class AlertDoor {
 public:
  // `watch` outlives it.
  explicit AlertDoor(alerts::Watch& watch) : watch_(watch) {}

  // Those that are pending or firing.
  webserver::Response list() const;
  // {"who": ..., "why": ..., "until": "2026-05-04T12:00:00Z"}; why and until may be left out. 200 with the alert; 400,
  // 404.
  webserver::Response acknowledge(const webserver::Request& request);
  // Says through the channel that this is a test; answered when it is said, or cannot be. One at a time: else 409.
  void test(const webserver::Request& request, webserver::Reply reply);

 private:
  alerts::Watch& watch_;
  std::atomic<bool> testing_ = false;
  std::mutex mutex_;
  std::jthread thread_;
};

}  // namespace rltune::collector
