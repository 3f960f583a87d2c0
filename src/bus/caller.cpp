#include "rltune/bus/caller.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "calls.hpp"
#include "endpoint.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/descriptor.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/base/utf8.hpp"
#include "stream.hpp"

namespace rltune::bus {
namespace {

// How often is read before deadlines are looked at again.
constexpr int kReadsMax = 16;
constexpr Duration kNever = Duration::max();

// Why no server would take this call; one that cannot be read would only time out, one that is too long end the
// connection and every call on it.
Result<> check(const CallOptions& options, std::string_view body) {
  const std::size_t said =
      options.method.size() + options.target.size() + options.correlation_id.size() + options.token.size();
  constexpr std::size_t kRest = 1'024;  // of an envelope
  if (body.size() > kMessageBytesMax || said > kMessageBytesMax - kRest)
    return fail(Errc::invalid_argument, "a call of more than 16 MiB; send less at a time");
  if (!is_utf8(options.method) || !is_utf8(options.target) || !is_utf8(options.correlation_id))
    return fail(Errc::invalid_argument, "a call's method, target or correlation id is no UTF-8");
  return {};
}

}  // namespace

// Calls are sent on the thread that makes them, where there is room; the Caller's own thread takes what comes back, and
// does the rest: deadlines, a server that goes away or comes back, what found no room.
struct Caller::State {
  // A call under way.
  struct Pending {
    OpenCall open;
    std::string body;  // until it is sent
    Answered answered;
    trace::Context within;
    Duration deadline{};
  };
  using Calls = std::map<std::uint64_t, Pending>;  // by number, and so in the order in which they are sent

  State(std::string where, std::string socket, std::size_t most)
      : endpoint(std::move(where)), path(std::move(socket)), in_flight_max(most) {}

  const std::string endpoint, path;
  const std::size_t in_flight_max;
  WallClock clock;
  const Descriptor wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  const Descriptor alarm{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};  // at the next deadline
  std::atomic<std::size_t> in_flight = 0;

  std::mutex mutex;
  Calls calls;
  std::set<std::pair<Duration, std::uint64_t>> deadlines;
  std::uint64_t last = 0;        // number of the newest call
  std::uint64_t unsent = 1;      // number of the oldest call that was not sent
  Duration alarm_at = kNever;    // what the alarm is set to
  std::optional<Stream> stream;  // while a server is there; opened, read and closed by the thread alone
  bool ending = false;
  std::thread thread;

  Result<> take(Pending& call);  // moved from only when it is taken
  void wake_up() noexcept { ::eventfd_write(wake.get(), 1); }
  void end();
  void set_alarm(Duration at) noexcept;

  void run();
  bool waits_to_be_sent() const { return calls.lower_bound(unsent) != calls.end(); }
  bool send_waiting();
  void connect();
  void receive();
  void lose();
  void expire();
  void sleep();
  bool is_ending();
  void finish(std::uint64_t number, Result<std::string> answer);
};

Result<Caller> Caller::connect(const std::string& endpoint, const CallerSettings& settings) {
  auto path = path_of(endpoint);
  if (!path) return std::unexpected(path.error());
  auto state = std::make_unique<State>(endpoint, std::move(*path), settings.in_flight_max);
  if (state->wake.get() < 0 || state->alarm.get() < 0)
    return fail(Errc::internal, "cannot make an eventfd: the process has too many files open");
  const OrdinaryThreads while_starting;
  state->thread = std::thread([running = state.get()] { running->run(); });
  return Caller(std::move(state));
}

Caller::Caller(std::unique_ptr<State> state) : state_(std::move(state)) {}
Caller::Caller(Caller&&) noexcept = default;
Caller::~Caller() {
  if (state_) state_->end();
}

std::size_t Caller::in_flight() const noexcept { return state_->in_flight; }

void Caller::call(const CallOptions& options, std::string body, Answered answered) {
  RLTUNE_CHECK(answered);
  if (auto fit = check(options, body); !fit) return answered(std::unexpected(fit.error()));
  State& state = *state_;
  State::Pending call;
  call.open = open_call(options.method, options.target, options.correlation_id, options.timeout, state.clock.now());
  call.open.envelope.set_token(options.token);
  call.body = std::move(body);
  call.within = trace::current();
  call.deadline = state.clock.steady() + options.timeout;
  call.answered = std::move(answered);
  if (auto done = state.take(call); !done) call.answered(std::unexpected(done.error()));
}

Result<> Caller::State::take(Pending& call) {
  bool needs_thread = false;
  {
    const std::scoped_lock lock(mutex);
    const char* why = ending ? ": the connection is being closed" : ": too many calls are under way; try again later";
    if (ending || in_flight >= in_flight_max) {
      call.open.span.fail("not taken");
      return fail(ending ? Errc::disconnected : Errc::no_space, call.open.envelope.method() + why);
    }
    ++in_flight;
    ++last;
    if (call.deadline < alarm_at) set_alarm(call.deadline);
    deadlines.emplace(call.deadline, last);
    calls.emplace_hint(calls.end(), last, std::move(call));
    needs_thread = !send_waiting();
  }
  if (needs_thread) wake_up();
  return {};
}

void Caller::State::set_alarm(Duration at) noexcept {
  alarm_at = at;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const itimerspec when{.it_interval = {}, .it_value = {seconds.count(), (at - seconds).count()}};
  ::timerfd_settime(alarm.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void Caller::State::end() {
  {
    const std::scoped_lock lock(mutex);
    ending = true;
  }
  wake_up();
  thread.join();
}

bool Caller::State::is_ending() {
  const std::scoped_lock lock(mutex);
  return ending;
}

void Caller::State::run() {
  while (!is_ending()) {
    connect();
    receive();
    expire();
    sleep();
  }
  std::unique_lock lock(mutex);
  while (!calls.empty()) {
    const std::uint64_t number = calls.begin()->first;
    auto closed =
        fail(Errc::disconnected, calls.begin()->second.open.envelope.method() + ": the connection was closed");
    lock.unlock();
    finish(number, std::move(closed));
    lock.lock();
  }
}

// Under the lock. False: the thread has to go on with it when it can.
bool Caller::State::send_waiting() {
  for (auto next = calls.lower_bound(unsent); next != calls.end(); ++next) {
    Pending& call = next->second;
    if (!stream || stream->unsent()) return false;
    const std::string head = call.open.envelope.SerializeAsString();
    if (stream->send({next->first, head, call.body}) != Stream::Sent::taken) return false;
    call.body = {};
    unsent = next->first + 1;
  }
  return !stream || !stream->unsent();
}

void Caller::State::connect() {
  const std::scoped_lock lock(mutex);
  if (!stream && waits_to_be_sent())
    if (auto made = Stream::connect(path)) stream.emplace(std::move(*made));
  if (stream && stream->flush()) send_waiting();
}

void Caller::State::receive() {
  if (!stream) return;
  auto arrived = Stream::Arrived::something;
  for (int i = 0; i < kReadsMax && arrived == Stream::Arrived::something; ++i) {
    arrived = stream->read();
    while (const auto answer = stream->next()) finish(answer->call, answer_of(*answer));
  }
  if (arrived == Stream::Arrived::gone || stream->broken()) lose();
}

// The server is gone, and with it the answers to all that was sent to it.
void Caller::State::lose() {
  std::vector<std::pair<std::uint64_t, std::string>> lost;
  {
    const std::scoped_lock lock(mutex);
    stream.reset();
    for (auto call = calls.begin(); call != calls.end() && call->first < unsent; ++call)
      lost.emplace_back(call->first, call->second.open.envelope.method());
  }
  for (const auto& [number, method] : lost)
    finish(number, fail(Errc::disconnected, method + ": " + endpoint + " went away before it answered"));
}

void Caller::State::expire() {
  std::unique_lock lock(mutex);
  const Duration now = clock.steady();
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    const std::uint64_t number = deadlines.begin()->second;
    const std::string& method = calls.at(number).open.envelope.method();
    auto late = number < unsent || stream ? fail(Errc::timeout, method + ": no answer from " + endpoint + " in time")
                                          : fail(Errc::disconnected, method + ": nobody answers at " + endpoint);
    lock.unlock();
    finish(number, std::move(late));
    lock.lock();
  }
  if (alarm_at > now) return;
  alarm_at = kNever;
  if (!deadlines.empty()) set_alarm(deadlines.begin()->first);
}

void Caller::State::sleep() {
  std::array<pollfd, 3> items{{{-1, POLLIN, 0}, {wake.get(), POLLIN, 0}, {alarm.get(), POLLIN, 0}}};
  int patience_ms = -1;
  {
    const std::scoped_lock lock(mutex);
    if (ending) return;
    if (stream) items[0].fd = stream->descriptor();
    if (stream && (stream->unsent() || waits_to_be_sent())) items[0].events = POLLIN | POLLOUT;
    if (!stream && waits_to_be_sent()) patience_ms = static_cast<int>(kLookAgain.count());
  }
  ::poll(items.data(), items.size(), patience_ms);
  eventfd_t woken = 0;
  if (items[1].revents != 0) ::eventfd_read(wake.get(), &woken);
  if (items[2].revents != 0) std::ignore = ::read(alarm.get(), &woken, sizeof woken);
}

// Late answers, and those that nobody asked for, find no call.
void Caller::State::finish(std::uint64_t number, Result<std::string> answer) {
  std::unique_lock lock(mutex);
  const auto found = calls.extract(number);
  if (!found) return;
  Pending& call = found.mapped();
  deadlines.erase({call.deadline, number});
  lock.unlock();
  if (!answer) call.open.span.fail(answer.error().message);
  call.open.span.end();
  --in_flight;
  const log::Correlation id(call.open.envelope.correlation_id());
  const trace::Scope within(call.within);
  call.answered(std::move(answer));
}

}  // namespace rltune::bus
