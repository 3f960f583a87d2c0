#include "rltune/plant/opcua_link.hpp"

#include <cmath>
#include <condition_variable>
#include <format>
#include <thread>

#include "opcua_backfill.hpp"
#include "opcua_subscription.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "sample_queue.hpp"

namespace rltune::plant {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kQueueLeast = 1 << 16;
// A server that is merely absent is looked for at least this often, so that values flow again within 2 s of
// its return. One that refuses us is left alone for as long as reconnect_max says: accounts get locked.
constexpr Duration kLookAgain = std::chrono::milliseconds(500);
// From the last moment of silence that is allowed to everybody's knowing: our own work and a busy machine's.
constexpr Duration kNoticing = std::chrono::milliseconds(100);

// True for what no retry mends: the site or the server has to be changed.
bool is_refusal(Errc code) {
  return code == Errc::denied || code == Errc::not_found || code == Errc::mismatch || code == Errc::parse ||
         code == Errc::invalid_argument || code == Errc::unsupported;
}

// Equal as far as the node can tell: its type's rounding, and the last bits of a scaling inside the server.
bool same_number(double wanted, double got) {
  return std::abs(wanted - got) <= 1e-6 * std::max({1.0, std::abs(wanted), std::abs(got)});
}

}  // namespace

class OpcuaLink::Worker {
 public:
  explicit Worker(OpcuaOptions options) : options_(std::move(options)) {}
  ~Worker() {
    stop();
    ::close(wake_);
  }

  Result<> open(std::span<const TagBinding> tags);
  void stop() noexcept;
  bool write(std::span<const std::uint32_t> tags, std::span<const double> values,
             std::span<WriteOutcome> outcomes) noexcept;
  std::size_t poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept;
  LinkStatus status() const;
  int descriptor() const noexcept { return queue_.descriptor(); }

 private:
  // One write request on its way between the two threads. Guarded by mutex_.
  struct WriteJob {
    enum class State : std::uint8_t { idle, waiting, running, done } state = State::idle;
    std::uint64_t number = 0;
    std::vector<std::uint32_t> tags;
    std::vector<double> values;
    std::vector<WriteOutcome> outcomes;
    bool complete = false;
  };

  // What the link remembers of a tag beyond a session.
  struct TagMemory {
    TimePoint emitted{};  // the newest source time handed on
    bool has_emitted = false;
    bool gap = false;  // an outage began after `emitted`; the next value ends it
  };

  void run();
  Result<> establish(OpcuaClient& client, OpcuaSubscriptions& subscriptions);
  Error serve(OpcuaClient& client, OpcuaSubscriptions& subscriptions);
  void probe(OpcuaClient& client);
  void on_value(std::size_t item, const UA_DataValue& value);
  void append(std::size_t item, const UA_DataValue& value, TimePoint source);
  void flush() noexcept;
  void lose();
  void perform_write(OpcuaClient& client);
  void abandon_write();
  // How long a server may be silent: short of the limit by what it takes to notice, so that whoever relies on the
  // limit knows within it.
  Duration silence_max() const noexcept {
    return options_.inactivity_timeout - std::min<Duration>(options_.inactivity_timeout / 10, kNoticing);
  }
  // A server that has taken so long over a write is hung, whatever a browse may take: the loop waits for this.
  Duration write_patience() const noexcept { return std::min(options_.call_timeout, silence_max()); }
  bool send_write(OpcuaClient& client, WriteJob& job);
  bool write_group(OpcuaClient& client, WriteJob& job, std::span<const std::size_t> group,
                   std::vector<UaVariant>& wire);
  bool read_back(OpcuaClient& client, WriteJob& job, std::span<const std::size_t> group);
  void set_state(LinkState state, std::string reason = {});
  void show(const Breaker& breaker);
  void wake() const noexcept;
  void drain_wake() const noexcept;
  void sleep(Duration duration) const;
  bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed); }

  const OpcuaOptions options_;
  WallClock clock_;
  const int wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  SampleQueue queue_{kQueueLeast};
  std::vector<TagBinding> bindings_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;

  // Shared between the threads.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LinkStatus status_;
  WriteJob job_;
  std::optional<Result<>> opened_;

  // The protocol thread's own.
  OperationLimits limits_;
  std::vector<ResolvedTag> tags_;
  std::vector<TagMemory> memory_;
  std::vector<Sample> batch_;
  OpcuaBackfill* backfill_ = nullptr;  // of the session that runs
  SteadyClock::time_point probed_{};
  bool probing_ = false;
};

// --- the caller's side --------------------------------------------------------------------------------

Result<> OpcuaLink::Worker::open(std::span<const TagBinding> tags) {
  stop();
  bindings_.assign(tags.begin(), tags.end());
  std::size_t elements = 0;
  for (const auto& tag : bindings_) elements += tag.elements;
  queue_.reset(std::max(kQueueLeast, 8 * elements));
  memory_.assign(bindings_.size(), {});
  batch_.reserve(std::max<std::size_t>(elements, 64));
  job_ = {};
  job_.tags.reserve(bindings_.size());
  job_.values.reserve(bindings_.size());
  job_.outcomes.reserve(bindings_.size());
  status_ = {};
  opened_.reset();
  stop_ = false;
  drain_wake();
  thread_ = std::thread([this] { run(); });

  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return opened_.has_value(); });
  auto result = *opened_;
  lock.unlock();
  if (!result) stop();
  return result;
}

void OpcuaLink::Worker::stop() noexcept {
  stop_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

std::size_t OpcuaLink::Worker::poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept {
  if (timeout.count() > 0) queue_.wait(timeout);
  return queue_.pop(out);
}

LinkStatus OpcuaLink::Worker::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool OpcuaLink::Worker::write(std::span<const std::uint32_t> tags, std::span<const double> values,
                              std::span<WriteOutcome> outcomes) noexcept {
  RLTUNE_CHECK(tags.size() == values.size() && tags.size() == outcomes.size());
  std::ranges::fill(outcomes, WriteOutcome{});
  std::unique_lock lock(mutex_);
  const bool busy = job_.state == WriteJob::State::waiting || job_.state == WriteJob::State::running;
  if (status_.state != LinkState::connected || busy) {
    status_.writes_failed += tags.size();
    return false;
  }
  const auto number = ++job_.number;
  job_.state = WriteJob::State::waiting;
  job_.complete = false;
  job_.tags.assign(tags.begin(), tags.end());
  job_.values.assign(values.begin(), values.end());
  job_.outcomes.assign(tags.size(), WriteOutcome{});
  lock.unlock();
  wake();
  lock.lock();
  // The protocol thread keeps its own deadlines; ours is a little longer, so that its words count.
  const auto patience = options_.call_timeout + std::chrono::milliseconds(200);
  changed_.wait_for(lock, patience, [&] { return job_.number == number && job_.state == WriteJob::State::done; });
  std::ranges::copy(job_.outcomes, outcomes.begin());
  const bool complete = job_.state == WriteJob::State::done && job_.complete;
  if (job_.state == WriteJob::State::waiting) job_.state = WriteJob::State::idle;
  for (const auto& outcome : outcomes) status_.writes_failed += outcome.accepted ? 0 : 1;
  return complete;
}

void OpcuaLink::Worker::wake() const noexcept {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

// --- the protocol thread ------------------------------------------------------------------------------

void OpcuaLink::Worker::run() {
  Breaker breaker({.failures_max = 1,
                   .wait_first = options_.reconnect_min,
                   .wait_max = options_.reconnect_max,
                   .seed = static_cast<std::uint64_t>(SteadyClock::now().time_since_epoch().count())});
  const auto first_deadline = SteadyClock::now() + options_.call_timeout;
  bool opened = false;
  while (!stopping()) {
    OpcuaClient client(options_, wake_, stop_);
    OpcuaSubscriptions subscriptions(client, options_,
                                     [this](std::size_t item, const UA_DataValue& value) { on_value(item, value); });
    OpcuaBackfill backfill(client, [this](std::size_t item, const UA_DataValue& value) {
      append(item, value, from_ua_time(value.sourceTimestamp));
    });
    backfill_ = &backfill;
    breaker.allows(clock_.steady());
    auto up = establish(client, subscriptions);
    if (up) {
      breaker.succeeded();
      {
        const std::lock_guard lock(mutex_);
        status_.circuit = breaker.figures();
        if (opened)
          ++status_.reconnects;
        else
          opened_ = Result<>{};
        status_.state = LinkState::connected;
        status_.reason.clear();
      }
      changed_.notify_all();
      log::info(opened ? "the plant is back" : "connected to the plant",
                {{"url", options_.url}, {"tags", std::to_string(tags_.size())}});
      opened = true;
      const Error loss = serve(client, subscriptions);
      if (stopping()) {
        client.close(true);
        break;
      }
      set_state(loss.code == Errc::timeout ? LinkState::stale : LinkState::disconnected, loss.message);
      abandon_write();
      lose();
      log::warning("the plant is lost", {{"url", options_.url}, {"reason", loss.message}});
      client.close(false);
    } else {
      client.close(false);
      batch_.clear();
      if (!opened && (is_refusal(up.error().code) || SteadyClock::now() > first_deadline || stopping())) {
        set_state(is_refusal(up.error().code) ? LinkState::refused : LinkState::disconnected, up.error().message);
        const std::lock_guard lock(mutex_);
        opened_ = std::move(up);
        changed_.notify_all();
        return;
      }
      if (status().reason != up.error().message)
        log::warning("the plant cannot be reached yet", {{"url", options_.url}, {"reason", up.error().message}});
      set_state(is_refusal(up.error().code)        ? LinkState::refused
                : up.error().code == Errc::timeout ? LinkState::stale
                                                   : LinkState::disconnected,
                up.error().message);
      const Duration now = clock_.steady();
      breaker.failed(now, is_refusal(up.error().code) ? Duration::max() : kLookAgain);
      show(breaker);
      sleep(breaker.try_at() - now);
    }
    drain_wake();
    backfill_ = nullptr;
  }
  set_state(LinkState::disconnected, "closed");
  const std::lock_guard lock(mutex_);
  if (!opened_) opened_ = fail(Errc::cancelled, "closed");
  changed_.notify_all();
}

Result<> OpcuaLink::Worker::establish(OpcuaClient& client, OpcuaSubscriptions& subscriptions) {
  if (auto connected = client.connect(); !connected) return connected;
  auto limits = read_limits(client);
  if (!limits) return std::unexpected(limits.error());
  limits_ = *limits;
  // Anew in every session: the server may have restarted with another address space or other indices.
  auto tags = resolve_tags(client, bindings_, limits_);
  if (!tags) return std::unexpected(tags.error());
  tags_ = std::move(*tags);
  std::vector<const UA_NodeId*> nodes;
  for (const auto& tag : tags_) nodes.push_back(&*tag.node);
  std::vector<UA_StatusCode> statuses;
  if (auto made = subscriptions.create(nodes, limits_, statuses); !made) return made;
  for (std::size_t i = 0; i < statuses.size(); ++i)
    if (quality_of(statuses[i]) == Quality::bad)
      return fail(Errc::mismatch, std::format("tag '{}' ({}): the server cannot monitor it: {}", bindings_[i].name,
                                              bindings_[i].node, status_name(statuses[i])));
  return {};
}

// Runs a session until it ends, and says why.
Error OpcuaLink::Worker::serve(OpcuaClient& client, OpcuaSubscriptions& subscriptions) {
  probing_ = false;
  std::uint64_t lost = 0;
  const Duration third = options_.inactivity_timeout / 3;
  const auto silence = [&client] { return SteadyClock::now() - client.heard(); };
  while (!stopping()) {
    client.step(std::min<Duration>({third, silence_max() - silence(), std::chrono::milliseconds(100)}));
    drain_wake();
    perform_write(client);
    subscriptions.pump();
    if (queue_.has_room()) backfill_->pump();
    flush();
    if (!client.alive()) return client.loss();
    if (auto failure = subscriptions.failure()) return *failure;
    if (subscriptions.lost() != lost) {
      const std::lock_guard lock(mutex_);
      status_.overflows += subscriptions.lost() - std::exchange(lost, subscriptions.lost());
    }
    const auto silent = silence();
    // TCP of a stopped process acknowledges and stays open: only answers are signs of life.
    if (silent >= silence_max())
      return {Errc::timeout, std::format("{} has said nothing for {:.1f} s", options_.url, to_seconds(silent))};
    if (silent > third) probe(client);
  }
  return {Errc::cancelled, "closed"};
}

// Asks for the server's state so that a healthy one has something to say.
void OpcuaLink::Worker::probe(OpcuaClient& client) {
  if (probing_) return;
  ReadService::Request request;
  request->nodesToRead = UA_ReadValueId_new();
  request->nodesToReadSize = 1;
  request->nodesToRead->nodeId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERSTATUS_STATE);
  request->nodesToRead->attributeId = UA_ATTRIBUTEID_VALUE;
  probing_ = client.send<ReadService>(request, [this](ReadService::Response&) { probing_ = false; });
}

void OpcuaLink::Worker::on_value(std::size_t item, const UA_DataValue& value) {
  if (item >= tags_.size()) return;
  const auto& tag = tags_[item];
  const UA_StatusCode status = value.hasStatus ? value.status : UA_STATUSCODE_GOOD;
  if (has_overflow(status)) {
    const std::lock_guard lock(mutex_);
    ++status_.overflows;
  }
  const auto now = clock_.now();
  auto& memory = memory_[item];
  TimePoint source = value.hasSourceTimestamp   ? from_ua_time(value.sourceTimestamp)
                     : value.hasServerTimestamp ? from_ua_time(value.serverTimestamp)
                                                : now;
  if (memory.has_emitted && source < memory.emitted) source = memory.emitted;
  if (memory.gap && tag.has_history && backfill_ != nullptr) backfill_->add(item, *tag.node, memory.emitted, source);
  memory = {.emitted = source, .has_emitted = true, .gap = false};
  append(item, value, source);
}

// Where the backfill brings a value its own time stands: it is older than what was handed on already.
void OpcuaLink::Worker::append(std::size_t item, const UA_DataValue& value, TimePoint source) {
  const auto& tag = tags_[item];
  const auto now = clock_.now();
  const UA_StatusCode status = value.hasStatus ? value.status : UA_STATUSCODE_GOOD;
  for (std::size_t element = 0; element < tag.elements; ++element) {
    Sample sample{.tag = static_cast<std::uint32_t>(item),
                  .element = static_cast<std::uint32_t>(element),
                  .source_time = source,
                  .received_time = now,
                  .quality = quality_of(status),
                  .status = status};
    const auto number = value.hasValue ? element_number(value.value, tag, element) : std::nullopt;
    sample.value = number && std::isfinite(*number) ? *number : kNaN;
    if (std::isnan(sample.value) && sample.quality != Quality::bad) {
      sample.quality = Quality::bad;
      sample.status = number ? UA_STATUSCODE_BADOUTOFRANGE : UA_STATUSCODE_BADTYPEMISMATCH;
    }
    batch_.push_back(sample);
  }
}

void OpcuaLink::Worker::flush() noexcept {
  if (batch_.empty()) return;
  const auto dropped = queue_.push(batch_);
  batch_.clear();
  if (dropped == 0) return;
  const std::lock_guard lock(mutex_);
  status_.overflows += dropped;
}

// Nothing is known of the plant any more: says so for every element.
void OpcuaLink::Worker::lose() {
  const auto now = clock_.now();
  for (std::size_t tag = 0; tag < bindings_.size(); ++tag) {
    auto& memory = memory_[tag];
    // On the plant's own clock, which may be years from ours: when we last heard of the tag.
    memory.gap = memory.has_emitted;
    if (!memory.has_emitted) memory.emitted = now;
    for (std::size_t element = 0; element < bindings_[tag].elements; ++element)
      batch_.push_back({.tag = static_cast<std::uint32_t>(tag),
                        .element = static_cast<std::uint32_t>(element),
                        .value = kNaN,
                        .source_time = memory.emitted,
                        .received_time = now,
                        .quality = Quality::bad,
                        .status = UA_STATUSCODE_BADNOCOMMUNICATION});
  }
  flush();
}

void OpcuaLink::Worker::perform_write(OpcuaClient& client) {
  WriteJob job;
  {
    const std::lock_guard lock(mutex_);
    if (job_.state != WriteJob::State::waiting) return;
    job_.state = WriteJob::State::running;
    job = job_;
  }
  job.complete = send_write(client, job);
  const std::lock_guard lock(mutex_);
  if (job_.number != job.number) return;
  job_.outcomes = job.outcomes;
  job_.complete = job.complete;
  job_.state = WriteJob::State::done;
  changed_.notify_all();
}

// A write that waited while the link went down: its caller need not wait for the time-out.
void OpcuaLink::Worker::abandon_write() {
  const std::lock_guard lock(mutex_);
  if (job_.state != WriteJob::State::waiting) return;
  job_.state = WriteJob::State::done;
  changed_.notify_all();
}

bool OpcuaLink::Worker::send_write(OpcuaClient& client, WriteJob& job) {
  std::vector<std::size_t> group;
  std::vector<UaVariant> wire;
  for (std::size_t i = 0; i < job.tags.size(); ++i) {
    const auto tag = job.tags[i];
    auto& outcome = job.outcomes[i];
    if (tag >= tags_.size() || !bindings_[tag].writable || tags_[tag].type == nullptr) {
      outcome.status = UA_STATUSCODE_BADNOTWRITABLE;
      continue;
    }
    auto value = variant_of(job.values[i], tags_[tag].type);
    if (!value) {
      outcome.status = UA_STATUSCODE_BADOUTOFRANGE;
      continue;
    }
    group.push_back(i);
    wire.push_back(std::move(*value));
  }
  for (std::size_t first = 0; first < group.size(); first += limits_.write) {
    const std::size_t count = std::min(limits_.write, group.size() - first);
    std::vector<UaVariant> part(std::make_move_iterator(wire.begin() + static_cast<std::ptrdiff_t>(first)),
                                std::make_move_iterator(wire.begin() + static_cast<std::ptrdiff_t>(first + count)));
    if (!write_group(client, job, std::span(group).subspan(first, count), part)) return false;
  }
  for (std::size_t first = 0; first < group.size(); first += limits_.read)
    if (!read_back(client, job, std::span(group).subspan(first, std::min(limits_.read, group.size() - first))))
      return false;
  return true;
}

bool OpcuaLink::Worker::write_group(OpcuaClient& client, WriteJob& job, std::span<const std::size_t> group,
                                    std::vector<UaVariant>& wire) {
  WriteService::Request request;
  request->nodesToWrite = static_cast<UA_WriteValue*>(UA_Array_new(group.size(), &UA_TYPES[UA_TYPES_WRITEVALUE]));
  request->nodesToWriteSize = group.size();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& tag = tags_[job.tags[group[i]]];
    UA_WriteValue& item = request->nodesToWrite[i];
    UA_NodeId_copy(&*tag.node, &item.nodeId);
    item.attributeId = UA_ATTRIBUTEID_VALUE;
    std::swap(item.value.value, *wire[i]);
    item.value.hasValue = true;
    if (tag.path.element) {  // one element of an array: an array of one, and the range that says where
      item.indexRange = copy_of(std::to_string(*tag.path.element));
      item.value.value.arrayLength = 1;
    }
  }
  const auto sent = SteadyClock::now();
  auto answer = client.call<WriteService>(request, "Write", write_patience(), silence_max());
  const Duration latency = SteadyClock::now() - sent;
  if (!answer || (*answer)->resultsSize != group.size()) {
    for (const auto i : group) job.outcomes[i].status = UA_STATUSCODE_BADCOMMUNICATIONERROR;
    log::warning("a write was not acknowledged",
                 {{"reason", answer ? "wrong number of results" : answer.error().message}});
    return false;
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto& outcome = job.outcomes[group[i]];
    outcome.status = (*answer)->results[i];
    outcome.accepted = quality_of(outcome.status) == Quality::good;
    outcome.latency = latency;
  }
  return true;
}

bool OpcuaLink::Worker::read_back(OpcuaClient& client, WriteJob& job, std::span<const std::size_t> group) {
  std::vector<Attribute> attributes;
  for (const auto i : group) attributes.push_back({&*tags_[job.tags[i]].node});
  auto values = read_attributes(client, attributes, limits_.read, write_patience());
  if (!values) return false;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& tag = tags_[job.tags[group[i]]];
    const auto& value = (*values)[i];
    auto& outcome = job.outcomes[group[i]];
    const auto number = value->hasValue ? element_number(value->value, tag, 0) : std::nullopt;
    outcome.read_back = number.value_or(kNaN);
    outcome.verified = outcome.accepted && number && same_number(as_stored(job.values[group[i]], tag.type), *number);
  }
  return true;
}

void OpcuaLink::Worker::set_state(LinkState state, std::string reason) {
  const std::lock_guard lock(mutex_);
  status_.state = state;
  status_.reason = std::move(reason);
}

void OpcuaLink::Worker::show(const Breaker& breaker) {
  const std::lock_guard lock(mutex_);
  status_.circuit = breaker.figures();
}

void OpcuaLink::Worker::drain_wake() const noexcept {
  if (stopping()) return;  // stays readable: every wait on the way out ends at once
  std::uint64_t ignored = 0;
  (void)!::read(wake_, &ignored, sizeof ignored);
}

void OpcuaLink::Worker::sleep(Duration duration) const {
  pollfd ready{.fd = wake_, .events = POLLIN, .revents = 0};
  ::poll(&ready, 1, static_cast<int>(duration / std::chrono::milliseconds(1)));
}

// --- the link -----------------------------------------------------------------------------------------

OpcuaLink::OpcuaLink(OpcuaOptions options) : worker_(std::make_unique<Worker>(std::move(options))) {}
OpcuaLink::~OpcuaLink() = default;
Result<> OpcuaLink::open(std::span<const TagBinding> tags) { return worker_->open(tags); }
void OpcuaLink::close() noexcept { worker_->stop(); }
std::size_t OpcuaLink::poll(std::span<Sample> out, std::chrono::milliseconds timeout) noexcept {
  return worker_->poll(out, timeout);
}
bool OpcuaLink::write(std::span<const std::uint32_t> tags, std::span<const double> values,
                      std::span<WriteOutcome> outcomes) noexcept {
  return worker_->write(tags, values, outcomes);
}
LinkStatus OpcuaLink::status() const { return worker_->status(); }
int OpcuaLink::descriptor() const noexcept { return worker_->descriptor(); }

}  // namespace rltune::plant
