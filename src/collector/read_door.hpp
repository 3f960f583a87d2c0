// GET /v1/logs: entries by time, service, level, correlation id and text, page by page. Internal.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "rltune/telemetry/log_query.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::collector {

// Searches on a thread of its own, so that nobody who brings entries waits for one.
class ReadDoor {
 public:
  explicit ReadDoor(telemetry::RecordReader& records);
  ~ReadDoor();
  void find(const webserver::Request& request, webserver::Reply reply);

 private:
  struct Asked {
    telemetry::LogQuery query;
    webserver::Reply reply;
  };
  void run();

  telemetry::LogSearch search_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Asked> asked_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rltune::collector
