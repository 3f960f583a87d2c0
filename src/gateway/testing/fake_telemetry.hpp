// The telemetry role as the gateway meets it: announced in the run folder, asked over HTTP. It answers as the real one
// does where nothing else is set, and keeps the last question.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rltune/base/file.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::gateway {

class FakeTelemetry {
 public:
  static constexpr const char* kAlert =
      R"({"id":"role_down-3fa2","rule":"role_down","state":"firing","severity":"critical","summary":"io is down",
          "labels":{"role":"io","instance":"127.0.0.1:9464"},"value":"NaN",
          "since":"2026-01-02T03:04:05Z","channels":["log"],
          "fired":"2026-01-02T03:05:05Z","told":"2026-01-02T03:05:05Z","action":"look at its log",
          "acknowledged":{"who":"operator","why":"repair","at":"2026-01-02T03:06:05Z"}})";
  static constexpr const char* kPage =
      R"({"entries":[{"sequence":7,"received":"2026-01-02T03:04:06Z","entry":{"timestamp":"2026-01-02T03:04:05Z",
          "service":"io","level":"WARNING","message":"it is \"cold\"","correlation_id":"c-1","id":"7f",
          "attributes":{"tag":"air","value":12.5,"held":true}}}],"next":6,"complete":false})";
  static constexpr const char* kStatus =
      R"({"site":"north","source":"a","streams":{"logs":{"acknowledged":9,"floor":2,"disk_bytes":4096,"free_bytes":1,
          "low_disk":false,"lost":0,"refused":0,"removed":0,"removed_unsent":1,"waiting_bytes":0,"trouble":""}},
          "sinks":[{"sink":"store","stream":"logs","delivered":7,"waiting_records":2,"retried":1,"refused":0,
          "trouble":"no route","last_success":null}],"targets":[]})";

  struct Question {
    std::string authorization;
    std::map<std::string, std::string> query;
    std::string alert, body;
  };

  Result<> start(const std::filesystem::path& announcement) {
    auto server = webserver::Server::start(
        {}, {route("GET", "/v1/alerts", std::string(R"({"alerts":[)") + kAlert + "]}"), route("GET", "/v1/logs", kPage),
             route("GET", "/v1/status", kStatus), route("POST", "/v1/alerts/{}/acknowledge", kAlert)});
    if (!server) return std::unexpected(server.error());
    server_.emplace(std::move(*server));
    const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
    return write_file(announcement, nlohmann::json{{"url", url}, {"token", "of-the-role"}}.dump());
  }
  void stop() { server_.reset(); }

  // To every question from now on.
  void says(std::string body, int status = 200) {
    const std::scoped_lock lock(mutex_);
    says_ = webserver::Response{.status = status, .body = std::move(body)};
  }
  Question question() {
    const std::scoped_lock lock(mutex_);
    return question_;
  }

 private:
  webserver::Route route(const char* method, const char* path, std::string usual) {
    return {method, path, [this, usual](const webserver::Request& request, const webserver::Reply& reply) {
              const std::scoped_lock lock(mutex_);
              question_ = {.authorization = request.headers.at("authorization"),
                           .query = request.query,
                           .alert = request.parts.empty() ? std::string() : request.parts[0],
                           .body = std::string(request.body)};
              reply(says_ ? *says_ : webserver::Response{.body = usual});
            }};
  }

  std::mutex mutex_;
  std::optional<webserver::Response> says_;
  Question question_;
  std::optional<webserver::Server> server_;  // last: it ends first
};

}  // namespace rltune::gateway
