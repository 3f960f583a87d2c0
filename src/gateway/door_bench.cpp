// What a call pays at the door before anything is done for it: correlation id, limits, who calls, permission; and what
// an answer of 10 KiB pays to be packed.
#include <benchmark/benchmark.h>

#include "compression.hpp"
#include "door.hpp"
#include "rltune/access/key_ring.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/statistics.hpp"
#include "temporary_folder.hpp"

namespace rltune::gateway {
namespace {

constexpr int kCalls = 5'000;

// A door over real stores, whose handlers note when they were reached.
struct Entrance {
  Entrance() {
    if (!write_file(folder.path() / "users.yaml",
                    "schema: rltune/users/v1\nusers:\n  - {name: ada, role: admin, password_hash_file: none}\n"))
      std::abort();
    accounts.emplace(folder.path());
    keys = access::KeyRing::open({.file = folder.path() / "keys"}, clock).value();
    sessions.emplace(access::Sessions::open({.file = folder.path() / "sessions.db"}, clock.now()).value());
    session = sessions->begin("ada", {.description = "bench", .address = "192.0.2.7"}, clock.now()).value().id;
    credentials.emplace(*accounts, *sessions, *keys, emergency, "rltune:bench");
    LimitOptions limits{
        .rate = {.per_second = 1e6, .burst = 1e6}, .exempt = {}, .operations = default_operation_rates()};
    door.emplace(DoorOptions{.limits = std::move(limits), .allowed_origins = {}}, *credentials, clock, registry,
                 [](const Refusal&) {});
    Handlers handlers;
    for (const api::Operation& operation : api::operations())
      handlers[operation.id] = [this](const CallPointer&, const Done& done) {
        reached = clock.steady();
        processor_reached_us = processor_us();
        done({.status = 204});
      };
    for (webserver::Route& route : door->routes(std::move(handlers)))
      if (route.method == "GET" && route.path == "/api/v1/plant/mode") enter = std::move(route.handle);
  }

  std::string token() const {
    return credentials->make_access_token(accounts->find("ada").value(), session, clock.now());
  }

  // Of this thread: what another process took in between is not in it.
  static double processor_us() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
  }

  // How long it took to its handler. Zero: it was refused.
  Duration call(const std::string& shown) {
    const webserver::Request request{.method = "GET",
                                     .path = "/api/v1/plant/mode",
                                     .query = {},
                                     .twice = {},
                                     .headers = {{"accept", "application/json"},
                                                 {"accept-encoding", "gzip"},
                                                 {"authorization", "Bearer " + shown},
                                                 {"host", "north.example.com:8443"},
                                                 {"user-agent", "door_bench"}},
                                     .body = {},
                                     .peer = "192.0.2.7",
                                     .parts = {}};
    reached = {};
    const double processor_begun_us = processor_us();
    const Duration begun = clock.steady();
    enter(request, [](webserver::Response response) { benchmark::DoNotOptimize(response); });
    processor_took_us = processor_reached_us - processor_begun_us;
    return reached == Duration{} ? Duration{} : reached - begun;
  }

  TemporaryFolder folder;
  WallClock clock;
  metrics::Registry registry{"gateway"};
  std::optional<Accounts> accounts;
  std::unique_ptr<access::KeyRing> keys;
  std::optional<access::Sessions> sessions;
  std::string session;
  EmergencySession emergency;
  std::optional<Credentials> credentials;
  std::optional<Door> door;
  webserver::Handler enter;
  Duration reached{};
  double processor_reached_us = 0.0, processor_took_us = 0.0;
};

void pass(benchmark::State& run, Entrance& entrance, const std::vector<std::string>& tokens) {
  log::set_level(log::Level::error);  // a line a call goes to whoever runs the role
  std::vector<double> took_us, processor_us;
  std::size_t next = 0;
  for (auto _ : run) {
    const Duration took = entrance.call(tokens[next]);
    if (took == Duration{}) run.SkipWithError("it was refused");
    took_us.push_back(1e6 * to_seconds(took));
    processor_us.push_back(entrance.processor_took_us);
    next = (next + 1) % tokens.size();
  }
  run.counters["p50_us"] = quantile(took_us, 0.5);
  run.counters["p99_us"] = quantile(took_us, 0.99);
  run.counters["p99_processor_us"] = quantile(processor_us, 0.99);
}

void a_call_with_a_token_seen_before(benchmark::State& run) {
  Entrance entrance;
  const std::string token = entrance.token();
  if (entrance.call(token) == Duration{}) run.SkipWithError("it was refused");
  pass(run, entrance, {token});
}
BENCHMARK(a_call_with_a_token_seen_before)->Iterations(kCalls)->UseRealTime();

void a_call_with_a_new_token(benchmark::State& run) {
  Entrance entrance;
  std::vector<std::string> tokens(kCalls);
  for (std::string& token : tokens) token = entrance.token();
  pass(run, entrance, tokens);
}
BENCHMARK(a_call_with_a_new_token)->Iterations(kCalls)->UseRealTime();

void an_answer_of_10_kib_is_packed(benchmark::State& run) {
  std::string body = R"({"samples":[)";
  for (int i = 0; body.size() < 10'240; ++i)
    body += std::format(R"({{"time":"2026-05-01T00:{:02}:{:02}Z","value":{:.4f},"quality":"good","element":0}},)",
                        i / 60 % 60, i % 60, 20.0 + 5.0 * ((i * 7919) % 1000) / 1000.0);
  for (auto _ : run) benchmark::DoNotOptimize(packed(body));
}
BENCHMARK(an_answer_of_10_kib_is_packed);

}  // namespace
}  // namespace rltune::gateway
