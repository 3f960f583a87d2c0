// What the way through the gateway costs a call, and how many it takes.
#include "child_process.hpp"
#include "gateway_parts.hpp"
#include "process_use.hpp"
#include "rltune/webserver/server.hpp"
#include "served_site.hpp"

namespace rltune::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSenders = 64;
constexpr int kTurns = 20, kRepetitions = 5;
constexpr double kP50Us = 350.0, kP99Us = 1'000.0, kCallsPerSecond = 10'000.0;

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
  testing::ChildProcess echo({RLTUNE_BIN_DIR "/gateway_bench", "echo", site.certificate()});
  const auto said = echo.read_line(10s);
  if (!said) give_up("the bare server does not start");
  const auto bare = static_cast<std::uint16_t>(std::stoi(*said));
  const std::string token = site.sign_in()["access_token"];
  const auto whole = [request = request_for(kAgentHealth, token)] { return request; };
  const auto simple = [request = request_for("/echo", token)] { return request; };
  const Duration turn = from_seconds(seconds / kTurns), part = from_seconds(seconds / kRepetitions);
  measure_calls(bare, 1, simple, 500ms);
  measure_calls(site.port(), 1, whole, 500ms);
  std::vector<double> bare_us, whole_us;
  for (int i = 0; i < kTurns; ++i) {
    append(bare_us, measure_calls(bare, 1, simple, turn));
    append(whole_us, measure_calls(site.port(), 1, whole, turn));
  }
  Rows rows;
  add_quantiles(rows, "a bare answer over TLS", "us", bare_us);
  add_quantiles(rows, "through gateway and coredinator to an agent and back", "us", whole_us, kP99Us);
  rows.push_back(single("of it the p50, bounded", "us", quantile(whole_us, 0.5), kP50Us));
  std::vector<double> bare_rates, rates, cpu;
  for (int i = 0; i < kRepetitions; ++i) {
    bare_rates.push_back(measure_calls(bare, kSenders, simple, part).per_s);
    const double before = cpu_seconds(site.pid_of("gateway"));
    const Measured measured = measure_calls(site.port(), kSenders, whole, part);
    rates.push_back(measured.per_s);
    cpu.push_back(1e6 * (cpu_seconds(site.pid_of("gateway")) - before) / static_cast<double>(measured.us.size()));
  }
  rows.push_back(repeated("bare answers a second, 64 connections", "calls/s", bare_rates));
  Row row = repeated("calls a second through all of it, 64 connections", "calls/s", rates, kCallsPerSecond);
  row.least = true;
  rows.push_back(row);
  rows.push_back(repeated("processor time of the gateway a call", "us", cpu));
  return rows;
}

}  // namespace rltune::bench
