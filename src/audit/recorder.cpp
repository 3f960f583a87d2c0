#include "rltune/audit/recorder.hpp"

#include <condition_variable>
#include <deque>
#include <format>
#include <mutex>
#include <optional>
#include <thread>

#include "rltune/audit/log.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/log.hpp"

namespace rltune::audit {
namespace {

constexpr std::size_t kGroupMax = 1000;
constexpr auto kFlushTimeout = std::chrono::seconds(10);

}  // namespace

struct Recorder::State {
  RecorderOptions options;
  WallClock clock;

  mutable std::mutex mutex;
  std::condition_variable work, done;
  std::deque<Entry> queue;
  std::uint64_t removed = 0, posted = 0, written = 0, lost = 0, lost_told = 0, failures = 0;
  std::string trouble;
  bool stopping = false;

  // The thread's alone.
  std::optional<Log> log;
  std::uint64_t since_head = 0;
  Duration last_head{};
  std::optional<KeepingWatch> keeping;
  std::thread thread;
  std::optional<DamageListener> damages;

  void run() {
    std::unique_lock lock(mutex);
    std::vector<Entry> group;
    while (true) {
      work.wait_for(lock, due_in(), [&] { return stopping || !queue.empty() || !group.empty(); });
      while (!queue.empty() && group.size() < kGroupMax) {
        group.push_back(std::move(queue.front()));
        queue.pop_front();
      }
      const bool last = stopping && queue.empty();
      const std::uint64_t unreported = lost - lost_told;
      lock.unlock();
      const auto stored = store(group, unreported);
      const std::uint64_t gone = remove_old();
      lock.lock();
      removed += gone;
      if (stored) {
        written += group.size();
        lost_told += unreported;
        group.clear();
        trouble.clear();
      } else {
        note(stored.error());
      }
      done.notify_all();
      if (last || (stopping && !stored)) break;
      if (!stored) work.wait_for(lock, options.retry_wait, [&] { return stopping; });
    }
    lock.unlock();
    if (!group.empty())
      log::critical("entries of the audit log were lost at stop", {{"count", std::to_string(group.size())}});
    sign();
  }

  std::chrono::nanoseconds due_in() const {
    return keeping->on() ? std::min<Duration>(head_due_in(), keeping->every()) : head_due_in();
  }

  std::uint64_t remove_old() {
    const auto age = log ? keeping->due(clock.steady()) : std::nullopt;
    if (!age) return 0;
    const TimePoint before = clock.now() - *age;
    const auto own = log->remove_before(before);
    if (!own) log::error("old lines of the audit log cannot be removed", {{"reason", own.error().message}});
    const std::uint64_t gone =
        own.value_or(0) + (options.keeps_for_others ? remove_before(options.folder, options.role, before, clock) : 0);
    if (gone > 0)
      log::info(
          "retention removed old days of the audit log",
          {{"files", std::to_string(gone)}, {"older_than_days", std::format("{:.4g}", to_seconds(*age) / 86'400.0)}});
    return gone;
  }

  std::chrono::nanoseconds head_due_in() const {
    if (since_head == 0) return std::chrono::hours(1);
    return std::max<Duration>(Duration(0), last_head + options.head_every - clock.steady());
  }

  Result<> store(std::span<const Entry> group, std::uint64_t unreported) {
    if (group.empty() && unreported == 0 && !log) return {};
    if (!log) {
      auto opened = Log::open(options.folder, options.role, clock, std::chrono::seconds(1));
      if (!opened) return std::unexpected(opened.error());
      log = std::move(*opened);
      last_head = clock.steady();
    }
    if (unreported > 0) {
      const Entry loss{.actor = options.role,
                       .action = "entries.lost",
                       .reason = "they came faster than the disk took them",
                       .details = {{"count", std::to_string(unreported)}}};
      if (auto told = log->append(loss); !told) return told;
      ++since_head;
    }
    if (auto appended = log->append(group); !appended) return appended;
    since_head += group.size();
    if (since_head >= options.head_lines || (since_head > 0 && head_due_in() == Duration(0))) sign();
    return {};
  }

  // A head that cannot be stored now is signed with the next lines.
  void sign() {
    if (!log) return;
    last_head = clock.steady();
    since_head = 0;
    const auto head = log->sign_head();
    if (!head) return log::error("the audit log's head cannot be stored", {{"reason", head.error().message}});
    if (*head)
      log::info("audit head", {{"of", options.role},
                               {"file", (*head)->file},
                               {"seq", std::to_string((*head)->sequence)},
                               {"hash", (*head)->hash},
                               {"key", (*head)->key}});
  }

  void note(const Error& error) {
    ++failures;
    if (trouble != error.message)
      log::error("the audit log cannot be written; entries wait in memory", {{"reason", error.message}});
    trouble = error.message;
  }
};

Recorder::Recorder(const RecorderOptions& options) : state_(std::make_unique<State>()) {
  state_->options = options;
  state_->keeping.emplace(options.keeping);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  state_->damages.emplace([this](const Damage& damage) {
    post({.action = "file.damaged",
          .target = damage.file.string(),
          .reason = damage.why,
          .details = {{"kept", damage.kept.empty() ? damage.file.string() : damage.kept.string()},
                      {"now", damage.now}}});
  });
}

Recorder::~Recorder() {
  state_->damages.reset();
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work.notify_all();
  state_->thread.join();
}

void Recorder::post(Entry entry) noexcept {
  State& state = *state_;
  if (entry.actor.empty()) entry.actor = state.options.role;
  if (entry.time == TimePoint{}) entry.time = state.clock.now();
  {
    const std::lock_guard lock(state.mutex);
    if (state.queue.size() >= state.options.queue_max) {
      ++state.lost;
      return;
    }
    state.queue.push_back(std::move(entry));
    ++state.posted;
  }
  state.work.notify_one();
}

Result<> Recorder::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.posted, failures = state.failures;
  // Two failures: the first may be of an attempt that began before this call.
  state.done.wait_for(lock, kFlushTimeout, [&] { return state.written >= target || state.failures >= failures + 2; });
  if (state.written >= target) return {};
  if (!state.trouble.empty()) return fail(Errc::io, state.trouble);
  return fail(Errc::timeout, std::format("{}: entries were not on disk after 10 s", state.options.folder.string()));
}

RecorderStatus Recorder::status() const {
  const State& state = *state_;
  const std::lock_guard lock(state.mutex);
  return {.written = state.written,
          .waiting = state.posted - state.written,
          .lost = state.lost,
          .trouble = state.trouble,
          .removed = state.removed};
}

}  // namespace rltune::audit
