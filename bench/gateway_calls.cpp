// What the way through the gateway costs a call, and how many it takes.
#include "child_process.hpp"
#include "gateway_parts.hpp"
#include "process_use.hpp"
#include "rltune/webserver/server.hpp"
#include "served_site.hpp"
#include "temporary_folder.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSenders = 64;
constexpr int kTurns = 20, kRepetitions = 5;
constexpr double kP50Us = 350.0, kP99Us = 1'000.0, kCallsPerSecond = 10'000.0;

// A server of its own beside the site, bare: it answers and does nothing else.
class Bare {
 public:
  explicit Bare(std::vector<std::string> arguments) : process_(std::move(arguments)) {
    const auto said = process_.read_line(10s);
    if (!said) give_up("a bare server does not start");
    port_ = static_cast<std::uint16_t>(std::stoi(*said));
  }
  std::uint16_t port() const noexcept { return port_; }

 private:
  testing::ChildProcess process_;
  std::uint16_t port_ = 0;
};

// Who is asked for what.
struct Asked {
  std::uint16_t port = 0;
  std::string request;
  bool tls = true;
};
Measured measure(const Asked& asked, std::size_t callers, Duration span) {
  return measure_calls(asked.port, callers, [&] { return asked.request; }, span, asked.tls);
}

void append(std::vector<double>& all, const Measured& some) { all.insert(all.end(), some.us.begin(), some.us.end()); }

}  // namespace

int serve_echo(const char* certificate) {
  auto server =
      webserver::Server::start({.threads = 2, .certificate_file = certificate, .key_file = certificate},
                               {{"GET", "/echo", [](const webserver::Request&, const webserver::Reply& reply) {
                                   reply({.body = R"({"healthy":true,"reason":""})"});
                                 }}});
  if (!server) give_up(server.error().message);
  std::println("{}", server->port());
  std::fflush(stdout);
  ::pause();  // it is killed
  return 0;
}

Rows gateway_calls(double seconds) {
  ServedSite site;
  const Bare bare({RLTUNE_BIN_DIR "/gateway_bench", "echo", site.certificate()});
  const TemporaryFolder uploads;
  const Bare drogon({RLTUNE_BIN_DIR "/drogon_echo", uploads.path().string()});
  const std::string token = site.sign_in()["access_token"];
  const Asked simple{bare.port(), request_for("/echo", token)}, other{drogon.port(), simple.request, false},
      whole{site.port(), request_for(kAgentHealth, token)};
  const Duration turn = from_seconds(seconds / kTurns), part = from_seconds(seconds / kRepetitions);
  for (const Asked& each : {simple, other, whole}) measure(each, 1, 500ms);
  std::vector<double> bare_us, drogon_us, whole_us;
  for (int i = 0; i < kTurns; ++i) {
    append(bare_us, measure(simple, 1, turn));
    append(drogon_us, measure(other, 1, turn));
    append(whole_us, measure(whole, 1, turn));
  }
  Rows rows;
  add_quantiles(rows, "a bare answer over TLS", "us", bare_us);
  add_quantiles(rows, "a bare answer of Drogon, without TLS", "us", drogon_us);
  add_quantiles(rows, "through gateway and coredinator to an agent and back", "us", whole_us, kP99Us);
  rows.push_back(single("of it the p50, bounded", "us", quantile(whole_us, 0.5), kP50Us));
  std::vector<double> bare_rates, drogon_rates, rates, cpu;
  for (int i = 0; i < kRepetitions; ++i) {
    bare_rates.push_back(measure(simple, kSenders, part).per_s);
    drogon_rates.push_back(measure(other, kSenders, part).per_s);
    const double before = cpu_seconds(site.pid_of("gateway"));
    const Measured measured = measure(whole, kSenders, part);
    rates.push_back(measured.per_s);
    cpu.push_back(1e6 * (cpu_seconds(site.pid_of("gateway")) - before) / static_cast<double>(measured.us.size()));
  }
  rows.push_back(repeated("bare answers a second, 64 connections", "calls/s", bare_rates));
  rows.push_back(repeated("bare answers of Drogon a second, without TLS, 64 connections", "calls/s", drogon_rates));
  Row row = repeated("calls a second through all of it, 64 connections", "calls/s", rates, kCallsPerSecond);
  row.least = true;
  rows.push_back(row);
  rows.push_back(repeated("processor time of the gateway a call", "us", cpu));
  return rows;
}

}  // namespace rltune::bench
