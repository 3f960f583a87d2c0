// tests/peers/receiver.mjs as a process of the test, and how to ask it what it took.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../../../tests/system/child_process.hpp"
#include "certificates.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/http/client.hpp"

namespace rltune::testing {

class ReceiverProcess {
 public:
  explicit ReceiverProcess(const std::filesystem::path& folder, std::vector<std::string> more = {}) : folder_(folder) {
    std::vector<std::string> arguments{"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/receiver.mjs", "--folder",
                                       folder.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process_.emplace(std::move(arguments));
    if (const auto line = process_->read_line(std::chrono::seconds(60)))
      url_ = "https://127.0.0.1:" + std::to_string(nlohmann::json::parse(*line)["port"].get<int>());
  }

  const std::string& url() const { return url_; }
  nlohmann::json report() { return nlohmann::json::parse(ask("GET", "/report", "")); }
  void next(const nlohmann::json& modes) { ask("POST", "/mode", modes.dump()); }

  // With the client's certificate.
  config::Sink sink(const std::string& kind) const {
    return {.name = "cloud",
            .kind = kind,
            .url = url_,
            .ca_file = folder_ / "ca.pem",
            .certificate_file = folder_ / "client.pem",
            .key_file = folder_ / "client.key",
            .interval_s = 0.01};
  }

 private:
  std::string ask(const std::string& method, const std::string& path, const std::string& body) {
    http::Client client({.ca_file = folder_ / "ca.pem",
                         .certificate_file = folder_ / "client.pem",
                         .key_file = folder_ / "client.key",
                         .answer_bytes_max = std::size_t{256} << 20U});
    const auto response = client.send({.method = method, .url = url_ + path, .body = body});
    return response ? response->body : "{}";
  }

  std::filesystem::path folder_;
  std::optional<ChildProcess> process_;
  std::string url_;
};

}  // namespace rltune::testing
