// A telemetry role alone, as a process, in a folder of its own.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "child_process.hpp"
#include "parts.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::bench {

class TelemetrySite {
 public:
  // `telemetry`: the text of telemetry.yaml below its schema.
  explicit TelemetrySite(const std::string& telemetry = {}) {
    std::filesystem::create_directories(run_folder());
    std::filesystem::copy_file(std::filesystem::path(RLTUNE_SOURCE_DIR) / "examples/lettuce-site/site.yaml", file());
    if (auto done = write_file(folder_.path() / "telemetry.yaml", "schema: rltune/telemetry/v2\n" + telemetry); !done)
      give_up(done.error().message);
  }

  // Until it answers.
  void start() {
    spawn();
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20); !hear();) {
      if (std::chrono::steady_clock::now() > end) give_up("the telemetry role does not start; " + said());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void spawn() {
    std::filesystem::remove(announcement());
    role_.emplace(std::vector<std::string>{std::string(RLTUNE_BIN_DIR) + "/rltune-telemetry", "--site", file().string(),
                                           "--run-folder", run_folder().string()},
                  (folder_.path() / "stderr").string());
  }
  void kill() {
    role_->signal(SIGKILL);
    role_->wait(std::chrono::seconds(10));
    role_.reset();
  }
  // In order; what it said, should it have failed.
  void stop() {
    role_->signal(SIGTERM);
    role_->wait(std::chrono::seconds(20));
    role_.reset();
  }

  std::uint16_t port() const noexcept { return port_; }
  const std::string& token() const noexcept { return token_; }
  pid_t pid() const noexcept { return role_->pid(); }
  std::filesystem::path data() const { return folder_.path() / "data" / "telemetry"; }
  std::string said() const { return read_file(folder_.path() / "stderr").value_or(""); }

 private:
  std::filesystem::path file() const { return folder_.path() / "site.yaml"; }
  std::filesystem::path run_folder() const { return folder_.path() / "run"; }
  std::filesystem::path announcement() const { return run_folder() / "telemetry.json"; }

  bool hear() {
    const auto text = read_file(announcement());
    if (!text) return false;
    const auto told = nlohmann::json::parse(*text);
    const std::string url = told["url"];
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    token_ = told["token"];
    return true;
  }

  TemporaryFolder folder_;
  std::optional<testing::ChildProcess> role_;
  std::uint16_t port_ = 0;
  std::string token_;
};

}  // namespace rltune::bench
