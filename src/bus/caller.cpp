#include "rltune/bus/caller.hpp"

#include <sys/eventfd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "connection.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/descriptor.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/base/utf8.hpp"

namespace rltune::bus {
namespace {

// Answers taken before deadlines and new calls are looked at again.
constexpr int kAnswersMax = 256;
constexpr Duration kForever = std::chrono::hours(1);

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

struct Caller::State {
  // A call under way.
  struct Pending {
    OpenCall open;
    std::string body;  // until it is sent
    Answered answered;
    trace::Context within;
    Duration deadline{};
    std::uint64_t losses = 0;  // of the server, when it was sent
  };
  using Calls = std::map<std::uint64_t, Pending>;  // by number, and so in the order in which they are sent

  State(Connection opened, std::size_t most) : connection(std::move(opened)), in_flight_max(most) {}

  Connection connection;
  const std::size_t in_flight_max;
  WallClock clock;
  const Descriptor wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::atomic<std::size_t> in_flight = 0;

  std::mutex mutex;
  std::vector<Pending> queued;  // by whoever calls; the thread takes all of them at once
  bool asleep = false;          // and has to be woken
  bool ending = false;

  // The thread's own.
  std::vector<Pending> taken;
  Calls calls;
  std::set<std::pair<Duration, std::uint64_t>> deadlines;
  std::uint64_t last = 0;        // number of the newest call
  std::uint64_t unsent = 1;      // number of the oldest call that was not sent
  std::uint64_t losses_met = 0;  // of the server, that the calls under way have been told of
  std::thread thread;

  Result<> queue(Pending& call);  // moved from only when it is taken
  void wake_up() noexcept { ::eventfd_write(wake.get(), 1); }
  void end();

  void run();
  bool take_queued();
  void send_waiting();
  void receive(int most);
  void give_up_lost();
  void expire();
  void sleep();
  void finish(std::uint64_t number, Result<std::string> answer);
};

Result<Caller> Caller::connect(Context& context, const std::string& endpoint, const CallerSettings& settings) {
  auto connection = Connection::open(context, endpoint, settings.security);
  if (!connection) return std::unexpected(connection.error());
  auto state = std::make_unique<State>(std::move(*connection), settings.in_flight_max);
  if (state->wake.get() < 0) return fail(Errc::internal, "cannot make an eventfd: the process has too many files open");
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
  if (auto done = state.queue(call); !done) call.answered(std::unexpected(done.error()));
}

Result<> Caller::State::queue(Pending& call) {
  bool sleeping = false;
  {
    const std::scoped_lock lock(mutex);
    const char* why = ending ? ": the connection is being closed" : ": too many calls are under way; try again later";
    if (ending || in_flight >= in_flight_max) {
      call.open.span.fail("not taken");
      return fail(ending ? Errc::disconnected : Errc::no_space, call.open.envelope.method() + why);
    }
    ++in_flight;
    queued.push_back(std::move(call));
    sleeping = std::exchange(asleep, false);
  }
  if (sleeping) wake_up();
  return {};
}

void Caller::State::end() {
  {
    const std::scoped_lock lock(mutex);
    ending = true;
  }
  wake_up();
  thread.join();
}

void Caller::State::run() {
  while (take_queued()) {
    send_waiting();
    receive(kAnswersMax);
    give_up_lost();
    expire();
    sleep();
  }
  while (!calls.empty())
    finish(calls.begin()->first,
           fail(Errc::disconnected, calls.begin()->second.open.envelope.method() + ": the connection was closed"));
}

// False: it is over.
bool Caller::State::take_queued() {
  bool more = true;
  {
    const std::scoped_lock lock(mutex);
    asleep = false;
    taken.swap(queued);
    more = !ending;
  }
  for (Pending& call : taken) {
    call.open.envelope.set_call(++last);
    deadlines.emplace(call.deadline, last);
    calls.emplace_hint(calls.end(), last, std::move(call));
  }
  taken.clear();
  return more;
}

void Caller::State::send_waiting() {
  auto next = calls.lower_bound(unsent);
  if (next == calls.end()) return;
  const std::uint64_t losses = connection.losses();
  if (!connection.connected()) return;
  for (; next != calls.end() && connection.send(next->second.open.envelope, next->second.body); ++next) {
    next->second.losses = losses;
    next->second.body = {};
    unsent = next->first + 1;
  }
}

void Caller::State::receive(int most) {
  for (int i = 0; i < most; ++i) {
    auto answer = connection.receive();
    if (!answer) return;
    finish(answer->call, std::move(answer->result));
  }
}

// Whoever was sent to a server that is gone, even when another one has taken its place.
void Caller::State::give_up_lost() {
  const std::uint64_t losses = connection.losses();
  if (losses == losses_met) return;
  losses_met = losses;
  receive(std::numeric_limits<int>::max());  // its last answers may have come meanwhile
  for (auto call = calls.begin(); call != calls.end() && call->first < unsent;) {
    const auto next = std::next(call);
    if (call->second.losses != losses)
      finish(call->first, fail(Errc::disconnected, call->second.open.envelope.method() + ": " + connection.endpoint() +
                                                       " went away before it answered"));
    call = next;
  }
}

void Caller::State::expire() {
  for (const Duration now = clock.steady(); !deadlines.empty() && deadlines.begin()->first <= now;) {
    const std::uint64_t number = deadlines.begin()->second;
    const std::string& method = calls.at(number).open.envelope.method();
    if (number < unsent || connection.present())
      finish(number, fail(Errc::timeout, method + ": no answer from " + connection.endpoint() + " in time"));
    else
      finish(number, fail(Errc::disconnected, method + ": nobody answers at " + connection.endpoint()));
  }
}

void Caller::State::sleep() {
  {
    const std::scoped_lock lock(mutex);
    if (!queued.empty() || ending) return;
    asleep = true;
  }
  const bool waiting = calls.lower_bound(unsent) != calls.end();
  const short events = waiting && connection.present() ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
  connection.wait(events, deadlines.empty() ? kForever : deadlines.begin()->first - clock.steady(), wake.get());
  eventfd_t woken = 0;
  ::eventfd_read(wake.get(), &woken);
}

// Late answers, and those that nobody asked for, find no call.
void Caller::State::finish(std::uint64_t number, Result<std::string> answer) {
  const auto found = calls.extract(number);
  if (!found) return;
  Pending& call = found.mapped();
  deadlines.erase({call.deadline, number});
  if (!answer) call.open.span.fail(answer.error().message);
  call.open.span.end();
  --in_flight;
  const log::Correlation id(call.open.envelope.correlation_id());
  const trace::Scope within(call.within);
  call.answered(std::move(answer));
}

}  // namespace rltune::bus
