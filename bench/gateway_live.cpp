// Many clients that watch the values of a plant, some of which read nothing: who is how far behind.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <thread>

#include "child_process.hpp"
#include "command_answer.hpp"
#include "gateway_parts.hpp"
#include "process_use.hpp"
#include "rltune/base/descriptor.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/free_port.hpp"
#include "rltune/base/sample.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/control.pb.h"
#include "temporary_folder.hpp"
#include "wake_delay.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kClients = 200, kTags = 500, kStill = 20;
constexpr auto kEvery = 100ms;
constexpr double kBehindMs = 1'000.0, kMemoryMib = 256.0, kGrowthMib = 16.0;

// The gateway alone, for a site whose io is this program.
class GatewayAlone {
 public:
  GatewayAlone() : port_(free_port()) {
    std::string site = std::format(
        "schema: rltune/site/v2\nname: live\nlink:\n  url: opc.tcp://127.0.0.1:4840\n  security: None\n  "
        "allow_insecure: true\n"
        "gateway: {{enabled: true, port: {}, calls_per_s: 100000, calls_burst: 100000}}\ntags:\n",
        port_);
    for (std::size_t i = 0; i < kTags; ++i)
      site += std::format("  - {{name: temperature_{0}, node: \"nsu=urn:live;s=t{0}\"}}\n", i);
    for (const auto& [file, text] :
         {std::pair{"site.yaml", site},
          std::pair{"users.yaml", std::string("schema: rltune/users/v1\nusers:\n"
                                              "  - {name: ada, role: admin, password_hash_file: secrets/ada}\n"
                                              "  - {name: wall, role: service, password_hash_file: secrets/wall}\n")}})
      if (auto done = write_file(folder_.path() / file, text); !done) give_up(done.error().message);
    std::filesystem::create_directories(run_folder());
    const auto secret =
        run_command(std::format("{}/rltune user secret wall {} --json", RLTUNE_BIN_DIR, file()), folder_.path());
    secret_ = nlohmann::json::parse(secret.out, nullptr, false).value("secret", "");
    gateway_.emplace(std::vector<std::string>{std::string(RLTUNE_BIN_DIR) + "/rltune-gateway", "--site", file(),
                                              "--run-folder", run_folder()},
                     (folder_.path() / "stderr").string());
  }

  // Once it answers.
  std::string token() const {
    const nlohmann::json shown{{"service", "wall"}, {"secret", secret_}};
    for (const auto end = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < end;) {
      const auto answer = post(folder_.path() / "data/access/certificate.pem", port_, "/auth/token", shown);
      if (answer && answer->status == 200)
        return nlohmann::json::parse(answer->body, nullptr, false).value("access_token", "");
      std::this_thread::sleep_for(50ms);
    }
    give_up("the gateway does not answer; " + read_file(folder_.path() / "stderr").value_or(""));
  }
  std::uint16_t port() const noexcept { return port_; }
  pid_t pid() const noexcept { return gateway_->pid(); }
  std::string run_folder() const { return (folder_.path() / "run").string(); }

 private:
  std::string file() const { return (folder_.path() / "site.yaml").string(); }

  TemporaryFolder folder_;
  std::uint16_t port_;
  std::string secret_;
  std::optional<testing::ChildProcess> gateway_;
};

// io's part: every tag has another value ten times a second.
void publish(const std::string& run_folder, const std::stop_token& stop) {
  bus::Context context;
  auto publisher = bus::Publisher::bind(context, bus::event_endpoint(run_folder, "io"));
  if (!publisher) give_up(publisher.error().message);
  const WallClock clock;
  v1::SampleBatch batch;
  auto due = std::chrono::steady_clock::now();
  for (std::uint64_t turn = 1; !stop.stop_requested(); ++turn) {
    std::this_thread::sleep_until(due += kEvery);
    const std::int64_t now = clock.now().time_since_epoch().count();
    batch.Clear();
    batch.set_sequence(turn);
    for (std::uint32_t tag = 0; tag < kTags; ++tag) {
      v1::Sample& sample = *batch.add_samples();
      sample.set_tag(tag);
      sample.set_value(20.0 + 0.001 * static_cast<double>((turn + tag) % 977));
      sample.set_source_unix_ns(now);
      sample.set_quality(static_cast<std::uint32_t>(Quality::good));
    }
    publisher->publish("samples", batch);
  }
}

class Watcher {
 public:
  Watcher(SSL_CTX* tls, std::uint16_t port, const std::string& token)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
      give_up("no connection");
    tls_.reset(SSL_new(tls));
    SSL_set_fd(tls_.get(), socket_.get());
    if (SSL_connect(tls_.get()) != 1) give_up("no TLS with the gateway");
    write(
        std::format("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    "Authorization: Bearer {}\r\n\r\n",
                    token));
    // {"subscribe":[]}, masked with zeros.
    constexpr std::string_view kAll = R"({"subscribe":[]})";
    write(std::string("\x81", 1) + static_cast<char>(0x80U | kAll.size()) + std::string(4, '\0') + std::string(kAll));
    ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  }

  int socket() const noexcept { return socket_.get(); }
  // Takes what there is; for each frame how old the newest value in it is.
  template <typename Seen>
  void read(const Seen& seen) {
    while (true) {
      const int count = SSL_read(tls_.get(), bytes_.data(), static_cast<int>(bytes_.size()));
      if (count <= 0) {
        if (const int why = SSL_get_error(tls_.get(), count); why != SSL_ERROR_WANT_READ)
          give_up(std::format("a watcher was thrown out ({}); the gateway said last: {}", why, last_close_));
        return;
      }
      received_.append(bytes_.data(), static_cast<std::size_t>(count));
      take_frames(seen);
    }
  }

 private:
  void write(const std::string& bytes) {
    if (SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) give_up("a watcher cannot write");
  }
  template <typename Seen>
  void take_frames(const Seen& seen) {
    if (!upgraded_) {
      const std::size_t end = received_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!received_.starts_with("HTTP/1.1 101")) give_up("no WebSocket: " + received_.substr(0, end));
      received_.erase(0, end + 4);
      upgraded_ = true;
    }
    std::size_t at = 0;
    while (received_.size() >= at + 10) {
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(received_[at + i]); };
      std::size_t length = byte(1) & 0x7FU, head = 2;
      if (length == 126)
        length = (std::size_t{byte(2)} << 8U) | byte(3), head = 4;
      else if (length == 127)
        give_up("a frame larger than any of this plant");
      if (received_.size() < at + head + length) break;
      // A ping is answered, masked with zeros, or the server takes us for gone.
      if ((byte(0) & 0x0FU) == 9U)
        write(std::string("\x8a", 1) + static_cast<char>(0x80U | length) + std::string(4, '\0') +
              received_.substr(at + head, length));
      if ((byte(0) & 0x0FU) == 8U && length > 2) last_close_ = received_.substr(at + head + 2, length - 2);
      if ((byte(0) & 0x0FU) == 1U) look(std::string_view(received_).substr(at + head, length), seen);
      at += head + length;
    }
    received_.erase(0, at);
  }
  // {"epoch":...,"frame":7,"values":{"temperature_0":[20.1,"good",1767225600123],...
  template <typename Seen>
  void look(std::string_view text, const Seen& seen) {
    const std::size_t good = text.find("\"good\",");
    if (good == std::string_view::npos) give_up("a frame without values");
    std::int64_t ms = 0;
    std::from_chars(text.data() + good + 7, text.data() + text.size(), ms);
    seen(static_cast<double>(WallClock().now().time_since_epoch().count()) / 1e6 - static_cast<double>(ms));
  }

  Descriptor socket_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, &SSL_free};
  std::array<char, 17 * 1024> bytes_{};
  std::string received_, last_close_ = "nothing";
  bool upgraded_ = false;
};

}  // namespace

Rows gateway_live(double seconds) {
  GatewayAlone gateway;
  const std::string token = gateway.token();
  std::jthread publisher([&](const std::stop_token& stop) { publish(gateway.run_folder(), stop); });
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SSL_CTX_clear_mode(tls.get(), SSL_MODE_AUTO_RETRY);
  std::vector<std::unique_ptr<Watcher>> watchers;
  const Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<double> behind_ms;
  std::vector<std::uint64_t> frames(kClients);
  bool warm = false;
  std::array<epoll_event, 64> events{};
  const auto read_ready = [&](int patience_ms) {
    const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), patience_ms);
    for (int i = 0; i < count; ++i) {
      const std::size_t which = events[static_cast<std::size_t>(i)].data.u64;
      watchers[which]->read([&](double ms) {
        if (!warm) return;
        behind_ms.push_back(ms);
        ++frames[which];
      });
    }
  };
  for (std::size_t i = 0; i < kClients; ++i) {
    watchers.push_back(std::make_unique<Watcher>(tls.get(), gateway.port(), token));
    if (i < kStill) continue;  // asked for all, and reads nothing
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watchers.back()->socket(), &event);
    read_ready(0);  // who came before is not left waiting
  }
  const WallClock clock;
  const double cpu_before = cpu_seconds(gateway.pid());
  const Duration begin = clock.steady();
  double half_way_mib = 0.0;
  const WakeDelay machine;
  while (clock.steady() - begin < from_seconds(seconds)) {
    warm = warm || clock.steady() - begin > 2s;
    if (half_way_mib == 0.0 && clock.steady() - begin > from_seconds(seconds / 2))
      half_way_mib = resident_mib(gateway.pid(), "VmRSS");
    read_ready(100);
  }
  const double span = to_seconds(clock.steady() - begin);
  const std::uint64_t fewest = *std::min_element(frames.begin() + kStill, frames.end());
  Rows rows;
  add_quantiles(rows, "a value's age when a client has it", "ms", behind_ms, kBehindMs);
  rows.push_back(single("of it the oldest, bounded", "ms", *std::ranges::max_element(behind_ms), kBehindMs));
  rows.push_back(single("latest wake of a thread that only sleeps, meanwhile", "ms", machine.longest_ms()));
  rows.push_back(single("frames a second to the client that got the fewest", "frames/s",
                        static_cast<double>(fewest) / (span - 2.0)));
  rows.push_back(
      single("values a second, all clients", "values/s", static_cast<double>(behind_ms.size() * kTags) / (span - 2.0)));
  rows.push_back(
      single("processor time of the gateway", "% of a core", 100.0 * (cpu_seconds(gateway.pid()) - cpu_before) / span));
  rows.push_back(single("memory of the gateway, the most", "MiB", resident_mib(gateway.pid(), "VmHWM"), kMemoryMib));
  rows.push_back(single("of it grown in the second half", "MiB",
                        std::max(0.0, resident_mib(gateway.pid(), "VmRSS") - half_way_mib), kGrowthMib));
  return rows;
}

}  // namespace rltune::bench
