#include "rltune/plant/opcua_link.hpp"

#include <cmath>
#include <condition_variable>
#include <format>
#include <thread>

#include "opcua_renewal.hpp"
#include "opcua_session.hpp"
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
  Result<> establish();
  Result<> establish_with_next();
  void finish();
  void show_connected(bool again, const Breaker& breaker);
  void go_live();
  Error serve();
  void count_overflows();
  void take_over();
  Result<> make_room();
  void probe();
  void on_value(std::size_t item, const UA_DataValue& value);
  void append(std::size_t item, const UA_DataValue& value, TimePoint source);
  void flush() noexcept;
  void lose();
  void perform_write();
  void abandon_write();
  // How long a server may be silent: short of the limit by what it takes to notice, so that whoever relies on the
  // limit knows within it.
  Duration silence_max() const noexcept {
    return options_.inactivity_timeout - std::min<Duration>(options_.inactivity_timeout / 10, kNoticing);
  }
  // A server that has taken so long over a write is hung, whatever a browse may take: the loop waits for this.
  Duration write_patience() const noexcept { return std::min(options_.call_timeout, silence_max()); }
  bool send_write(WriteJob& job);
  bool write_group(WriteJob& job, std::span<const std::size_t> group, std::vector<UaVariant>& wire);
  bool read_back(WriteJob& job, std::span<const std::size_t> group);
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
  std::unique_ptr<OpcuaSession> session_;
  std::unique_ptr<OpcuaRenewal> renewal_;
  std::vector<TagMemory> memory_;
  std::vector<Sample> batch_;
  SteadyClock::time_point replaced_until_{};  // what the session before told is not told again until then
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
  if (options_.security != "None" && !options_.pki.empty())
    renewal_ = std::make_unique<OpcuaRenewal>(options_, bindings_, wake_, stop_);
  while (!stopping()) {
    breaker.allows(clock_.steady());
    auto up = establish();
    if (up) {
      breaker.succeeded();
      show_connected(std::exchange(opened, true), breaker);
      const Error loss = serve();
      if (renewal_) renewal_->in_use({});
      if (stopping()) break;
      set_state(loss.code == Errc::timeout ? LinkState::stale : LinkState::disconnected, loss.message);
      abandon_write();
      lose();
      log::warning("the plant is lost", {{"url", options_.url}, {"reason", loss.message}});
      session_.reset();
    } else {
      session_.reset();
      batch_.clear();
      if (!opened && (is_refusal(up.error().code) || SteadyClock::now() > first_deadline || stopping())) {
        set_state(is_refusal(up.error().code) ? LinkState::refused : LinkState::disconnected, up.error().message);
        const std::lock_guard lock(mutex_);
        opened_ = std::move(up);
        changed_.notify_all();
        break;
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
  }
  finish();
}

// The last words of the protocol thread. One that never opened has said why.
void OpcuaLink::Worker::finish() {
  renewal_.reset();
  if (session_) session_->close(true);
  session_.reset();
  {
    const std::lock_guard lock(mutex_);
    if (opened_ && !*opened_) return;
    status_.state = LinkState::disconnected;
    status_.reason = "closed";
    if (!opened_) opened_ = fail(Errc::cancelled, "closed");
  }
  changed_.notify_all();
}

void OpcuaLink::Worker::show_connected(bool again, const Breaker& breaker) {
  {
    const std::lock_guard lock(mutex_);
    status_.circuit = breaker.figures();
    if (again)
      ++status_.reconnects;
    else
      opened_ = Result<>{};
    status_.state = LinkState::connected;
    status_.reason.clear();
  }
  changed_.notify_all();
  log::info(again ? "the plant is back" : "connected to the plant",
            {{"url", options_.url}, {"tags", std::to_string(bindings_.size())}});
}

Result<> OpcuaLink::Worker::establish() {
  session_ = std::make_unique<OpcuaSession>(options_, wake_, stop_);
  auto up = session_->establish(bindings_);
  if (!up && up.error().code == Errc::denied && renewal_ && establish_with_next()) up = {};
  if (!up) return up;
  go_live();
  return {};
}

// Where ours is refused, has ended say, the next one may be accepted already.
Result<> OpcuaLink::Worker::establish_with_next() {
  const auto pki = OpcuaPki::open(options_.pki);
  if (!pki) return std::unexpected(pki.error());
  auto next = pki->next({.application_uri = options_.application_uri}, clock_.now());
  if (!next) return std::unexpected(next.error());
  if (!*next) return fail(Errc::not_found, "there is no next certificate");
  session_ = std::make_unique<OpcuaSession>(options_, wake_, stop_);
  if (auto up = session_->establish(bindings_, std::move(*next)); !up) return up;
  if (auto used = pki->use_next(); !used)
    log::error("our new certificate is in use, and cannot be kept as ours yet", {{"reason", used.error().message}});
  return {};
}

void OpcuaLink::Worker::go_live() {
  session_->go_live([this](std::size_t item, const UA_DataValue& value) { on_value(item, value); },
                    [this](std::size_t item, const UA_DataValue& value) {
                      append(item, value, from_ua_time(value.sourceTimestamp));
                    });
  if (renewal_) renewal_->in_use(std::string(session_->client().certificate()));
}

// Runs sessions until one ends without another that takes over, and says why.
Error OpcuaLink::Worker::serve() {
  const Duration third = options_.inactivity_timeout / 3;
  const auto silence = [this] { return SteadyClock::now() - session_->client().heard(); };
  while (!stopping()) {
    session_->client().step(std::min<Duration>({third, silence_max() - silence(), std::chrono::milliseconds(100)}));
    drain_wake();
    perform_write();
    session_->subscriptions().pump();
    if (queue_.has_room()) session_->backfill().pump();
    flush();
    if (!session_->client().alive()) return session_->client().loss();
    if (auto failure = session_->subscriptions().failure()) return *failure;
    count_overflows();
    const auto silent = silence();
    // TCP of a stopped process acknowledges and stays open: only answers are signs of life.
    if (silent >= silence_max())
      return {Errc::timeout, std::format("{} has said nothing for {:.1f} s", options_.url, to_seconds(silent))};
    if (silent > third) probe();
    if (renewal_) take_over();
    if (renewal_ && renewal_->asks_to_reconnect())
      if (auto made = make_room(); !made) return made.error();
  }
  return {Errc::cancelled, "closed"};
}

void OpcuaLink::Worker::count_overflows() {
  const std::uint64_t lost = session_->subscriptions().lost();
  if (lost == session_->overflows) return;
  const std::lock_guard lock(mutex_);
  status_.overflows += lost - std::exchange(session_->overflows, lost);
}

// Goes on with the session that was made beside this one, where there is one. Each tells what it hears from its own
// beginning on: nothing is missing between them, and what both told is told once.
void OpcuaLink::Worker::take_over() {
  auto session = renewal_->take();
  if (!session) return;
  std::swap(session_, session);
  const auto left = session->backfill().left();
  session->mute();
  replaced_until_ = SteadyClock::now() + options_.inactivity_timeout;
  go_live();
  for (const auto& gap : left) session_->backfill().add(gap.tag, *session_->tags()[gap.tag].node, gap.from, gap.until);
  flush();
  renewal_->retire(std::move(session));
  const std::lock_guard lock(mutex_);
  ++status_.renewals;
}

// For a server without room for a second session: what happens between two is filled from its history.
Result<> OpcuaLink::Worker::make_room() {
  renewal_->in_use({});
  session_->close(true);
  for (auto& memory : memory_) memory.gap = memory.has_emitted;
  if (auto up = establish(); !up) return up;
  const std::lock_guard lock(mutex_);
  ++status_.renewals;
  return {};
}

// Asks for the server's state so that a healthy one has something to say.
void OpcuaLink::Worker::probe() {
  if (session_->probing) return;
  ReadService::Request request;
  request->nodesToRead = UA_ReadValueId_new();
  request->nodesToReadSize = 1;
  request->nodesToRead->nodeId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERSTATUS_STATE);
  request->nodesToRead->attributeId = UA_ATTRIBUTEID_VALUE;
  session_->probing = session_->client().send<ReadService>(
      request, [session = session_.get()](ReadService::Response&) { session->probing = false; });
}

void OpcuaLink::Worker::on_value(std::size_t item, const UA_DataValue& value) {
  if (item >= session_->tags().size()) return;
  const auto& tag = session_->tags()[item];
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
  const bool older = memory.has_emitted && source < memory.emitted;
  if (older && SteadyClock::now() < replaced_until_) return;  // the session before told it
  if (memory.has_emitted && source < memory.emitted) source = memory.emitted;
  if (memory.gap && tag.has_history) session_->backfill().add(item, *tag.node, memory.emitted, source);
  memory = {.emitted = source, .has_emitted = true, .gap = false};
  append(item, value, source);
}

// Where the backfill brings a value its own time stands: it is older than what was handed on already.
void OpcuaLink::Worker::append(std::size_t item, const UA_DataValue& value, TimePoint source) {
  const auto& tag = session_->tags()[item];
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

void OpcuaLink::Worker::perform_write() {
  WriteJob job;
  {
    const std::lock_guard lock(mutex_);
    if (job_.state != WriteJob::State::waiting) return;
    job_.state = WriteJob::State::running;
    job = job_;
  }
  job.complete = send_write(job);
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

bool OpcuaLink::Worker::send_write(WriteJob& job) {
  std::vector<std::size_t> group;
  std::vector<UaVariant> wire;
  for (std::size_t i = 0; i < job.tags.size(); ++i) {
    const auto tag = job.tags[i];
    auto& outcome = job.outcomes[i];
    if (tag >= session_->tags().size() || !bindings_[tag].writable || session_->tags()[tag].type == nullptr) {
      outcome.status = UA_STATUSCODE_BADNOTWRITABLE;
      continue;
    }
    auto value = variant_of(job.values[i], session_->tags()[tag].type);
    if (!value) {
      outcome.status = UA_STATUSCODE_BADOUTOFRANGE;
      continue;
    }
    group.push_back(i);
    wire.push_back(std::move(*value));
  }
  for (std::size_t first = 0; first < group.size(); first += session_->limits().write) {
    const std::size_t count = std::min(session_->limits().write, group.size() - first);
    std::vector<UaVariant> part(std::make_move_iterator(wire.begin() + static_cast<std::ptrdiff_t>(first)),
                                std::make_move_iterator(wire.begin() + static_cast<std::ptrdiff_t>(first + count)));
    if (!write_group(job, std::span(group).subspan(first, count), part)) return false;
  }
  for (std::size_t first = 0; first < group.size(); first += session_->limits().read)
    if (!read_back(job, std::span(group).subspan(first, std::min(session_->limits().read, group.size() - first))))
      return false;
  return true;
}

bool OpcuaLink::Worker::write_group(WriteJob& job, std::span<const std::size_t> group, std::vector<UaVariant>& wire) {
  WriteService::Request request;
  request->nodesToWrite = static_cast<UA_WriteValue*>(UA_Array_new(group.size(), &UA_TYPES[UA_TYPES_WRITEVALUE]));
  request->nodesToWriteSize = group.size();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& tag = session_->tags()[job.tags[group[i]]];
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
  auto answer = session_->client().call<WriteService>(request, "Write", write_patience(), silence_max());
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

bool OpcuaLink::Worker::read_back(WriteJob& job, std::span<const std::size_t> group) {
  std::vector<Attribute> attributes;
  for (const auto i : group) attributes.push_back({&*session_->tags()[job.tags[i]].node});
  auto values = read_attributes(session_->client(), attributes, session_->limits().read, write_patience());
  if (!values) return false;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& tag = session_->tags()[job.tags[group[i]]];
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
