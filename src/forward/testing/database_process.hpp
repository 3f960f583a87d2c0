// PostgreSQL with TimescaleDB as a process of the test: a folder and a socket of its own, no port.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <thread>
#include <vector>

#include "../../../tests/system/child_process.hpp"
#include "temporary_folder.hpp"

namespace rltune::testing {

class DatabaseProcess {
 public:
  static bool installed() { return std::filesystem::exists(std::string(kBin) + "/postgres"); }

  DatabaseProcess() {
    namespace fs = std::filesystem;
    // The server refuses to be root, and so its folder is another user's.
    fs::permissions(folder_.path(), fs::perms::all);
    run({std::string(kBin) + "/initdb", "-D", data(), "-U", kUser, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"});
    start();
    execute("CREATE EXTENSION IF NOT EXISTS timescaledb");
  }
  ~DatabaseProcess() { stop(); }

  void start() {
    process_.emplace(as_other({std::string(kBin) + "/postgres", "-D", data(), "-k", folder_.path().string(), "-c",
                               "listen_addresses=", "-c", "shared_preload_libraries=timescaledb", "-c",
                               "timescaledb.telemetry_level=off", "-c", "fsync=off", "-c", "log_min_messages=fatal",
                               "-c", "shared_buffers=16MB", "-c", "max_worker_processes=12"}),
                     "/dev/null");
    for (int turn = 0; turn < 600 && !answers(); ++turn) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // At once, as a crash.
  void stop() {
    process_->signal(SIGQUIT);
    process_->wait(std::chrono::seconds(10));
    process_.reset();
  }

  static constexpr const char* kUser = "rltune";
  // As telemetry.yaml has it: the host is the folder of the socket, the user is named beside it.
  std::string url() const {
    std::string host;
    for (const char c : folder_.path().string()) host += c == '/' ? std::string("%2F") : std::string(1, c);
    return "postgresql://" + host + "/postgres";
  }
  pqxx::result execute(const std::string& query) const {
    pqxx::connection connection(url() + "?user=" + kUser);
    pqxx::nontransaction work(connection);
    return work.exec(query);
  }

 private:
  static constexpr const char* kBin = "/usr/lib/postgresql/17/bin";
  std::string data() const { return (folder_.path() / "data").string(); }

  bool answers() const {
    try {
      execute("SELECT 1");
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
  static std::vector<std::string> as_other(std::vector<std::string> command) {
    if (::geteuid() != 0) return command;
    std::vector<std::string> all{"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                                 "--pdeathsig=SIGKILL"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }
  static void run(const std::vector<std::string>& command) {
    ChildProcess process(as_other(command), "/dev/null");
    while (process.read_line(std::chrono::seconds(60))) {
    }
    process.wait(std::chrono::seconds(60));
  }

  TemporaryFolder folder_;
  std::optional<ChildProcess> process_;
};

}  // namespace rltune::testing
