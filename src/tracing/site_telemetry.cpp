#include "rltune/tracing/site_telemetry.hpp"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "log_shipper.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/config/followed.hpp"
#include "sink.hpp"

namespace rltune::tracing {
namespace {

constexpr std::size_t kBatchMax = 512, kRecordsMax = 4'096;
constexpr Duration kWaitFirst = std::chrono::seconds(1), kWaitMax = std::chrono::seconds(30);
constexpr Duration kLastWords = std::chrono::milliseconds(500);
constexpr const char* kSpans = "rltune_role_traces_spans_total";
constexpr const char* kSpansHelp = "Spans of traces by what became of them";

}  // namespace

struct SiteTelemetry::State {
  State(const Options& given, metrics::Registry& registry)
      : options(given),
        breaker({.failures_max = 2,
                 .wait_first = kWaitFirst,
                 .wait_max = kWaitMax,
                 .seed = static_cast<std::uint64_t>(::getpid())}),
        file(given.folder),
        circuit(registry, "traces"),
        sent(registry.counter(kSpans, kSpansHelp, {{"outcome", "sent"}})),
        refused(registry.counter(kSpans, kSpansHelp, {{"outcome", "refused"}})),
        dropped(registry.counter(kSpans, kSpansHelp, {{"outcome", "dropped"}})) {
    if (!options.run_folder.empty())
      shipper.emplace(LogShipper::Options{.endpoint_file = options.run_folder / "telemetry.json", .role = options.role},
                      registry);
    follow_file();
    const OrdinaryThreads while_starting;
    thread = std::thread([this] { run(); });
  }
  ~State() {
    {
      const std::scoped_lock lock(mutex);
      stopping = true;
      if (sink) sink->give_up();
    }
    ends.notify_all();
    thread.join();
    trace::stop();
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!ends.wait_for(lock, options.every, [this] { return stopping; })) {
      lock.unlock();
      follow_file();
      lock.lock();
      // From here on the end gives up the sink that is used below: it is no other any more.
      if (stopping) break;
      lock.unlock();
      turn(options.timeout);
      lock.lock();
    }
    lock.unlock();
    if (!sink || breaker.state() != Breaker::State::closed) return;
    replace_sink(make_sink(file.value().traces));
    turn(kLastWords);
  }

  // Takes over what telemetry.yaml says, when it has changed.
  void follow_file() {
    if (!file.turn()) return;
    set_level(config::level_of(file.value(), options.role));
    configure(file.value().traces);
  }

  static void set_level(const std::string& word) {
    const auto level = log::parse_level(word);
    if (!level || *level == log::level()) return;
    // Said at the level that is always written, or quietening a role would leave no trace of itself.
    log::critical("log level changed",
                  {{"to", word}, {"was", log::name_of(log::level())}, {"because", "telemetry.yaml"}});
    log::set_level(*level);
  }

  std::unique_ptr<Sink> make_sink(const config::Traces& traces) const {
    const Origin origin{options.site, options.role};
    if (traces.folder.empty()) return make_http_sink(traces.url, origin);
    return make_file_sink(options.folder / traces.folder, static_cast<std::uint64_t>(traces.folder_max_mb * 1e6),
                          origin);
  }
  void replace_sink(std::unique_ptr<Sink> with) {
    const std::scoped_lock lock(mutex);
    sink.swap(with);
  }

  void configure(const config::Traces& traces) {
    replace_sink(nullptr);
    breaker.succeeded();
    if (!traces.enabled) {
      if (trace::on()) log::info("traces are off");
      return trace::stop();
    }
    const std::filesystem::path folder = options.folder / traces.folder;
    replace_sink(make_sink(traces));
    trace::start({.sample_ratio = traces.sample_ratio, .records_max = kRecordsMax});
    log::info("traces are recorded", {{"to", traces.folder.empty() ? traces.url : folder.string()},
                                      {"sample_ratio", std::format("{}", traces.sample_ratio)}});
  }

  void turn(Duration timeout) {
    while (sink && fill_batch() && breaker.allows(clock.steady()) && send(timeout)) {
    }
    dropped.follow(static_cast<double>(trace::dropped()));
    circuit.show(breaker);
  }

  bool fill_batch() {
    if (!batch.empty()) return true;
    batch.resize(kBatchMax);
    batch.resize(trace::take(batch));
    return !batch.empty();
  }

  bool send(Duration timeout) {
    const bool was_closed = breaker.state() == Breaker::State::closed;
    const auto done = sink->send(batch, timeout);
    if (done) {
      sent.add(static_cast<double>(batch.size()));
      breaker.succeeded();
      if (!was_closed) log::info("traces are sent again");
    } else {
      if (done.error().code == Errc::invalid_argument) refused.add(static_cast<double>(batch.size()));
      breaker.failed(clock.steady());
      if (was_closed && breaker.state() == Breaker::State::open)
        log::warning("traces cannot be sent; they wait, and what finds no room is dropped",
                     {{"reason", done.error().message}});
    }
    if (done || done.error().code == Errc::invalid_argument) batch.clear();
    return done.has_value();
  }

  const Options options;
  Breaker breaker;
  config::Followed<config::Telemetry> file;
  metrics::Circuit circuit;
  metrics::Counter &sent, &refused, &dropped;
  std::optional<LogShipper> shipper;
  std::unique_ptr<Sink> sink;  // changed by the thread, under the mutex
  std::vector<trace::Record> batch;
  WallClock clock;

  std::mutex mutex;
  std::condition_variable ends;
  bool stopping = false;
  std::thread thread;
};

SiteTelemetry::SiteTelemetry(const Options& options, metrics::Registry& registry)
    : state_(std::make_unique<State>(options, registry)) {}
SiteTelemetry::~SiteTelemetry() = default;

}  // namespace rltune::tracing
