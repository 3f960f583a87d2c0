// `rltune-telemetry telemetry receive` over TLS as a process of the test: on the same port and in the same folder after
// every kill, asked over HTTPS, and its buffers read beside it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "certificates.hpp"
#include "child_process.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/http/client.hpp"
#include "rltune/telemetry/record_reader.hpp"

namespace rltune::testing {

class ReceiveProcess {
 public:
  // Certificates and the token are made in `folder`. `more`: options of the command.
  explicit ReceiveProcess(std::filesystem::path folder, std::vector<std::string> more = {})
      : folder_(std::move(folder)), more_(std::move(more)), port_(std::to_string(free_port())) {}

  bool prepare() const {
    return make_certificates(folder_) && write_secret_file(folder_ / "token", "sesame-of-this-test");
  }

  static std::vector<std::string> command(const std::vector<std::string>& options) {
    std::vector<std::string> all{RLTUNE_BIN_DIR "/rltune-telemetry", "telemetry", "receive"};
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }
  // Returns at once.
  void start() {
    std::vector<std::string> options{"--folder",      file("received"),   "--port",       port_,
                                     "--certificate", file("server.pem"), "--key",        file("server.key"),
                                     "--client-ca",   file("ca.pem"),     "--token-file", file("token")};
    options.insert(options.end(), more_.begin(), more_.end());
    process_.emplace(command(options), file("receiver.log"));
  }
  // The line in which it says that it listens.
  std::optional<std::string> listens(std::chrono::milliseconds patience) { return process_->read_line(patience); }
  std::optional<int> end(int signal) {
    process_->signal(signal);
    return process_->wait(std::chrono::seconds(20));
  }
  bool is_killed_after(std::chrono::milliseconds time) {
    return !process_->wait(time) && end(SIGKILL) == 128 + SIGKILL;
  }

  // As a site that it knows has it.
  config::Sink sink() const {
    return {.name = "cloud",
            .kind = "gateway",
            .url = "https://127.0.0.1:" + port_ + "/v1/batches",
            .authentication = "bearer",
            .secret_file = folder_ / "token",
            .ca_file = folder_ / "ca.pem",
            .certificate_file = folder_ / "client.pem",
            .key_file = folder_ / "client.key",
            .batch_max_kb = 4,
            .interval_s = 0.02};
  }

  // What it says of itself; null where nobody answers.
  nlohmann::json health() const {
    http::Client client(
        {.ca_file = file("ca.pem"), .certificate_file = file("client.pem"), .key_file = file("client.key")});
    const auto answer = client.send({.method = "GET", .url = "https://127.0.0.1:" + port_ + "/healthcheck"});
    return answer ? nlohmann::json::parse(answer->body, nullptr, false) : nlohmann::json();
  }

  // Records that its buffer of a stream acknowledged.
  std::uint64_t acknowledged(const std::string& stream) const {
    const auto reader = telemetry::open_to_read(folder_ / "received" / stream);
    return reader ? (*reader)->acknowledged() : 0;
  }
  // What it keeps of a stream: the texts of the entries by id, each as often as it is there.
  std::multimap<std::string, std::string> kept(const std::string& stream) const {
    std::multimap<std::string, std::string> all;
    const auto reader = telemetry::open_to_read(folder_ / "received" / stream);
    if (!reader) return all;
    for (std::uint64_t next = (*reader)->floor(); next <= (*reader)->acknowledged();) {
      const auto batch = (*reader)->read(next, 1U << 20U);
      if (!batch || batch->next <= next) break;
      for (const auto& record : batch->records) {
        const auto json = nlohmann::json::parse(record.payload);
        all.emplace(json["id"], json["entry"].dump());
      }
      next = batch->next;
    }
    return all;
  }
  std::string log() const { return read_file(file("receiver.log")).value_or(""); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

 private:
  const std::filesystem::path folder_;
  const std::vector<std::string> more_;
  const std::string port_;
  std::optional<ChildProcess> process_;
};

}  // namespace rltune::testing
