#include "log_shipper.hpp"

#include <unistd.h>

#include <format>
#include <memory>

#include "rltune/base/id.hpp"
#include "rltune/base/json_text.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/http/announcement.hpp"

namespace rltune::tracing {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{256} << 10U, kTextMax = std::size_t{16} << 10U;
constexpr Duration kWaitFirst = std::chrono::milliseconds(500), kWaitMax = std::chrono::seconds(10);
constexpr const char* kEntries = "rltune_role_log_entries_total";
constexpr const char* kEntriesHelp = "Log entries for the telemetry role by what became of them";

std::string shortened(std::string_view text) {
  std::string out(text.substr(0, kTextMax));
  if (text.size() > kTextMax) out += " ...";
  return out;
}

void add(std::string& entry, char before, std::string_view name, std::string_view text) {
  entry += before;
  append_json_text(entry, name);
  entry += ':';
  append_any_json_text(entry, text);
}

}  // namespace

LogShipper::LogShipper(Options options, metrics::Registry& registry)
    : options_(std::move(options)),
      id_(make_id(clock_.now()).substr(24)),
      breaker_({.failures_max = 1,
                .wait_first = kWaitFirst,
                .wait_max = kWaitMax,
                .seed = static_cast<std::uint64_t>(::getpid())}),
      circuit_(registry, "telemetry"),
      sent_(registry.counter(kEntries, kEntriesHelp, {{"outcome", "sent"}})),
      refused_(registry.counter(kEntries, kEntriesHelp, {{"outcome", "refused"}})),
      dropped_(registry.counter(kEntries, kEntriesHelp, {{"outcome", "dropped"}})),
      queue_(options_.lines_max),
      client_({.connect_timeout = std::chrono::seconds(2), .timeout = std::chrono::seconds(5)}) {
  log::listen(this);
  const OrdinaryThreads while_starting;
  thread_ = std::thread([this] { run(); });
}

LogShipper::~LogShipper() {
  log::listen(nullptr);
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ends_.notify_all();
  const std::jthread impatience([this](const std::stop_token& done) {
    std::mutex own;
    std::unique_lock lock(own);
    std::condition_variable_any wakes;
    if (!wakes.wait_for(lock, done, std::chrono::milliseconds(500), [] { return false; }) && !done.stop_requested())
      client_.cancel();
  });
  thread_.join();
  for (std::string* line = nullptr; queue_.pop(line);) delete line;
}

std::string LogShipper::entry_of(const log::Line& line) {
  std::string entry;
  add(entry, '{', "timestamp", format_rfc3339(line.time));
  add(entry, ',', "service", options_.role);
  add(entry, ',', "level", log::name_of(line.level));
  add(entry, ',', "message", shortened(line.message));
  if (!line.correlation_id.empty()) add(entry, ',', "correlation_id", line.correlation_id);
  add(entry, ',', "id", std::format("{}-{}", id_, ++entries_));
  if (!line.fields.empty()) entry += R"(,"attributes":)";
  for (const log::Field& field : line.fields)
    add(entry, &field == line.fields.data() ? '{' : ',', field.name, shortened(field.value));
  entry += line.fields.empty() ? "}" : "}}";
  return entry;
}

void LogShipper::hear(const log::Line& line) noexcept {
  auto entry = std::make_unique<std::string>(entry_of(line));
  const std::size_t bytes = entry->size();
  if (waiting_bytes_.fetch_add(bytes) + bytes <= options_.bytes_max && queue_.push(entry.get())) {
    (void)entry.release();
    return;
  }
  waiting_bytes_ -= bytes;
  ++dropped_count_;
}

void LogShipper::run() {
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, options_.every, [this] { return stopping_; })) {
    lock.unlock();
    turn();
    lock.lock();
  }
  lock.unlock();
  if (breaker_.state() == Breaker::State::closed) turn();
}

void LogShipper::turn() {
  dropped_.follow(static_cast<double>(dropped_count_));
  tell_of_dropped();
  while (true) {
    fill_batch();
    if (batch_.empty() || !breaker_.allows(clock_.steady()) || !send_batch()) break;
  }
  circuit_.show(breaker_);
}

void LogShipper::fill_batch() {
  std::size_t bytes = 0;
  for (const std::string& entry : batch_) bytes += entry.size();
  for (std::string* line = nullptr; bytes < kBatchBytes && queue_.pop(line);) {
    const std::unique_ptr<std::string> entry(line);
    waiting_bytes_ -= entry->size();
    bytes += entry->size();
    batch_.push_back(std::move(*entry));
  }
}

// As an entry of its own, ahead of what finds room again.
void LogShipper::tell_of_dropped() {
  const std::uint64_t dropped = dropped_count_;
  if (dropped == told_dropped_ || breaker_.state() != Breaker::State::closed) return;
  const std::vector<log::Field> fields{{"entries", std::to_string(dropped - told_dropped_)}};
  batch_.push_back(
      entry_of({.level = log::Level::warning,
                .role = options_.role,
                .message = "log entries found no room on their way to telemetry; this role's own log has them",
                .correlation_id = {},
                .fields = fields,
                .time = clock_.now()}));
  told_dropped_ = dropped;
}

Result<long> LogShipper::post(const std::string& body) {
  const auto where = http::read_announcement(options_.endpoint_file);
  if (!where) return std::unexpected(where.error());
  const auto answer =
      client_.send({.url = where->url + "/v1/logs",
                    .headers = {{"Content-Type", "application/x-ndjson"}, {"Authorization", where->authorization()}},
                    .body = body});
  if (!answer) return std::unexpected(answer.error());
  return answer->status;
}

void LogShipper::sent(std::size_t entries) {
  if (breaker_.state() != Breaker::State::closed) log::info("log entries reach telemetry again");
  breaker_.succeeded();
  sent_.add(static_cast<double>(entries));
}

void LogShipper::lost_way(const std::string& reason) {
  const bool was_closed = breaker_.state() == Breaker::State::closed;
  breaker_.failed(clock_.steady());
  if (was_closed)
    log::debug("log entries do not reach telemetry; they wait, and what finds no room is dropped",
               {{"reason", reason}});
}

// False: not now.
bool LogShipper::send_batch() {
  std::string body;
  for (const std::string& entry : batch_) body += entry + "\n";
  const auto status = post(body);
  if (status && *status == 400) return send_each();
  if (!status || *status != 202) {
    lost_way(status ? std::format("status {}", *status) : status.error().message);
    return false;
  }
  sent(batch_.size());
  batch_.clear();
  return true;
}

// Something in it is no entry as the role takes it: the others shall not suffer.
bool LogShipper::send_each() {
  while (!batch_.empty()) {
    const auto status = post(batch_.front());
    if (!status || (*status != 202 && *status != 400)) {
      lost_way(status ? std::format("status {}", *status) : status.error().message);
      return false;
    }
    if (*status == 202)
      sent(1);
    else
      refused_.add();
    batch_.erase(batch_.begin());
  }
  return true;
}

}  // namespace rltune::tracing
