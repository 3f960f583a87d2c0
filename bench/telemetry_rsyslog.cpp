// rsyslog's disk-assisted queue, given the same records as the role: what its time, its processor time and its memory
// are.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <fstream>

#include "process_use.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/descriptor.hpp"
#include "telemetry_parts.hpp"
#include "telemetry_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordBytes = 256, kBatchRecords = 512;
constexpr std::uint64_t kLeftInMemory = 2'000;
const WallClock kClock;

// Takes messages over TCP for a receiver that is away, so that its queue goes to disk. rsyslog answers nobody: what is
// on disk is what its own counters, of every second, say.
class Rsyslog {
 public:
  explicit Rsyslog(bool synced) : port_(testing::free_port()) {
    const std::string folder = folder_.path().string();
    const std::string text = std::format(
        "global(workDirectory=\"{0}\")\nmodule(load=\"imtcp\")\n"
        "module(load=\"impstats\" interval=\"1\" format=\"json\" resetCounters=\"off\" log.file=\"{0}/stats\" "
        "log.syslog=\"off\")\n"
        "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{1}\")\n"
        "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"1\" protocol=\"tcp\" action.resumeRetryCount=\"-1\"\n"
        "  queue.type=\"LinkedList\" queue.filename=\"away\" queue.size=\"50000\" queue.highWatermark=\"10000\"\n"
        "  queue.lowWatermark=\"{2}\" queue.maxDiskSpace=\"20g\" queue.maxFileSize=\"64m\" "
        "queue.timeoutEnqueue=\"600000\"\n"
        "  queue.syncQueueFiles=\"{3}\" queue.saveOnShutdown=\"on\")\n",
        folder, port_, kLeftInMemory, synced ? "on" : "off");
    if (auto done = write_file(folder_.path() / "rsyslog.conf", text); !done) give_up(done.error().message);
    process_.emplace(
        std::vector<std::string>{"/usr/sbin/rsyslogd", "-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"},
        folder + "/stderr");
    for (const Duration end = kClock.steady() + 20s; !connect();) {
      if (kClock.steady() > end)
        give_up("rsyslogd does not listen; " + read_file(folder_.path() / "stderr").value_or(""));
      std::this_thread::sleep_for(20ms);
    }
  }

  pid_t pid() const noexcept { return process_->pid(); }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("rsyslogd took no more");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::uint64_t on_disk() const {
    constexpr std::string_view kCount = "\"enqueued\": ";
    std::ifstream file(folder_.path() / "stats");
    std::uint64_t most = 0;
    for (std::string line; std::getline(file, line);) {
      const std::size_t at = line.find(kCount);
      if (line.contains("queue[DA]") && at != std::string::npos)
        most = std::max<std::uint64_t>(most, std::stoull(line.substr(at + kCount.size())));
    }
    return most;
  }

 private:
  bool connect() {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port_));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socket_.emplace(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(socket_->get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
  }

  TemporaryFolder folder_;
  int port_ = 0;
  std::optional<Descriptor> socket_;
  std::optional<testing::ChildProcess> process_;
};

void add(Rows& rows, const std::string& name, bool synced, std::uint64_t batches) {
  Rsyslog rsyslog(synced);
  std::string line = "<14>1 2026-05-04T12:00:00Z host corerl - - - ";
  line += std::string(kRecordBytes - line.size() - 1, 'x') + "\n";
  std::string batch;
  for (std::size_t i = 0; i < kBatchRecords; ++i) batch += line;
  // It stops writing somewhere about its low watermark.
  const std::uint64_t all = batches * kBatchRecords - 2 * kLeftInMemory;
  const Duration begin = kClock.steady();
  for (std::uint64_t i = 0; i < batches; ++i) rsyslog.send(batch);
  while (rsyslog.on_disk() < all) {
    if (kClock.steady() - begin > 300s) give_up(std::format("rsyslogd wrote {} of {}", rsyslog.on_disk(), all));
    std::this_thread::sleep_for(50ms);
  }
  const auto records = static_cast<double>(all);
  rows.push_back(single(name + ", on disk", "records/s", records / to_seconds(kClock.steady() - begin)));
  rows.push_back(single(name + ", processor time a record", "us", 1e6 * cpu_seconds(rsyslog.pid()) / records));
  rows.push_back(single(name + ", resident memory, the most", "MiB", resident_mib(rsyslog.pid(), "VmHWM")));
}

}  // namespace

Rows telemetry_rsyslog(double records) {
  Rows rows;
  const auto batches = static_cast<std::uint64_t>(records) / kBatchRecords;
  add(rows, "rsyslog's disk-assisted queue, synced as the role is", true, batches / 20);
  add(rows, "the same, not synced", false, batches);
  return rows;
}

}  // namespace rltune::bench
