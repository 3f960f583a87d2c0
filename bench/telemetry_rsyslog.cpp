// The role beside rsyslog's disk-assisted queue: the same records, in turn.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <fstream>

#include "http_load.hpp"
#include "process_use.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/descriptor.hpp"
#include "telemetry_parts.hpp"
#include "telemetry_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordBytes = 256, kBatchRecords = 512;
constexpr int kRounds = 3;
const WallClock kClock;

struct Use {
  double seconds = 0.0, cpu_seconds = 0.0, resident_mib = 0.0;
};

class Rsyslog {
 public:
  Rsyslog() : port_(testing::free_port()) {
    const std::string folder = folder_.path().string();
    const std::string text = std::format(
        "global(workDirectory=\"{0}\")\nmodule(load=\"imtcp\")\n"
        "module(load=\"impstats\" interval=\"1\" format=\"json\" resetCounters=\"off\" log.file=\"{0}/stats\" "
        "log.syslog=\"off\")\n"
        "main_queue(queue.type=\"LinkedList\" queue.filename=\"main\" queue.size=\"50000\" queue.maxDiskSpace=\"20g\" "
        "queue.saveOnShutdown=\"on\" queue.syncQueueFiles=\"on\" queue.timeoutEnqueue=\"-1\")\n"
        "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{1}\")\n"
        "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"1\" protocol=\"tcp\" action.resumeRetryCount=\"-1\")\n",
        folder, port_);
    if (auto done = write_file(folder_.path() / "rsyslog.conf", text); !done) give_up(done.error().message);
    process_.emplace(
        std::vector<std::string>{"/usr/sbin/rsyslogd", "-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"},
        folder + "/stderr");
    for (const Duration end = kClock.steady() + 20s; (socket_ = connect()) < 0;) {
      if (kClock.steady() > end)
        give_up("rsyslogd does not listen; " + read_file(folder_.path() / "stderr").value_or(""));
      std::this_thread::sleep_for(20ms);
    }
  }
  ~Rsyslog() { ::close(socket_); }

  pid_t pid() const noexcept { return process_->pid(); }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("rsyslogd took no more");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Of messages that it says it took in.
  std::uint64_t taken() const {
    std::ifstream file(folder_.path() / "stats");
    std::uint64_t most = 0;
    for (std::string line; std::getline(file, line);) {
      const std::size_t at = line.find("\"submitted\"");
      if (line.contains("imtcp") && at != std::string::npos)
        most = std::max<std::uint64_t>(most, std::stoull(line.substr(line.find_first_of("0123456789", at))));
    }
    return most;
  }

 private:
  int connect() const {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port_));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return made;
    ::close(made);
    return -1;
  }

  TemporaryFolder folder_;
  int port_ = 0, socket_ = -1;
  std::optional<testing::ChildProcess> process_;
};

Use through_rsyslog(std::uint64_t records) {
  Rsyslog rsyslog;
  std::string line = "<14>1 2026-05-04T12:00:00Z host corerl - - - ";
  line += std::string(kRecordBytes - line.size() - 1, 'x') + "\n";
  std::string batch;
  for (std::size_t i = 0; i < kBatchRecords; ++i) batch += line;
  const Duration begin = kClock.steady();
  for (std::uint64_t sent = 0; sent < records; sent += kBatchRecords) rsyslog.send(batch);
  const std::uint64_t all = (records + kBatchRecords - 1) / kBatchRecords * kBatchRecords;
  while (rsyslog.taken() < all) {
    if (kClock.steady() - begin > 600s) give_up(std::format("rsyslogd took {} of {}", rsyslog.taken(), all));
    std::this_thread::sleep_for(100ms);
  }
  return {to_seconds(kClock.steady() - begin), cpu_seconds(rsyslog.pid()), resident_mib(rsyslog.pid(), "VmHWM")};
}

Use through_role(std::uint64_t records) {
  TelemetrySite site("metrics: {enabled: false}\n");
  site.start();
  std::string body;
  for (std::size_t i = 0; i < kBatchRecords; ++i) body += log_line(i, kRecordBytes);
  HttpLoad load({site.port(), site.token()}, 4);
  std::uint64_t sent = 0;
  const Duration begin = kClock.steady();
  load.run(
      [&](std::size_t) {
        if (sent >= records) return std::string();
        sent += kBatchRecords;
        return body;
      },
      [&](const HttpLoad::Answer& answer) {
        if (answer.status != 202) give_up(std::format("status {}; {}", answer.status, site.said()));
      },
      600s);
  const Use use{to_seconds(kClock.steady() - begin), cpu_seconds(site.pid()), resident_mib(site.pid(), "VmHWM")};
  site.stop();
  return use;
}

void add(Rows& rows, const std::string& who, const std::vector<Use>& uses, double records) {
  std::vector<double> rates, cpu, memory;
  for (const Use& use : uses) {
    rates.push_back(records / use.seconds);
    cpu.push_back(1e6 * use.cpu_seconds / records);
    memory.push_back(use.resident_mib);
  }
  rows.push_back(repeated(who + ": records of 256 B a second", "records/s", rates));
  rows.push_back(repeated(who + ": processor time a record", "us", cpu));
  rows.push_back(repeated(who + ": resident memory, the most", "MiB", memory));
}

}  // namespace

Rows telemetry_beside_rsyslog(double records) {
  std::vector<Use> role, rsyslog;
  for (int round = 0; round < kRounds; ++round) {
    role.push_back(through_role(static_cast<std::uint64_t>(records)));
    rsyslog.push_back(through_rsyslog(static_cast<std::uint64_t>(records)));
  }
  Rows rows;
  add(rows, "the role, each record durable when it is answered", role, records);
  add(rows, "rsyslog", rsyslog, records);
  return rows;
}

}  // namespace rltune::bench
