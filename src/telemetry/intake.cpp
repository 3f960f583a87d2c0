#include "rltune/telemetry/intake.hpp"

#include <condition_variable>
#include <deque>
#include <format>
#include <future>
#include <mutex>
#include <thread>

#include "frame.hpp"
#include "rltune/base/log.hpp"

namespace rltune::telemetry {

struct Intake::State {
  struct Request {
    Payloads payloads;
    Done done;
  };
  using Time = std::chrono::steady_clock;

  State(Buffer of, IntakeOptions with) : options(std::move(with)), buffer(std::move(of)) {
    next_upkeep = Time::now() + options.upkeep_every;
    status.floor = buffer.floor();
    look_at_buffer();
    works = buffer.probe();
  }

  IntakeOptions options;
  mutable std::mutex mutex;
  std::condition_variable work;
  std::deque<Request> queue;
  std::size_t waiting_bytes = 0;
  Status status;
  Result<> works;
  std::optional<Retention> retention;
  bool stopping = false, upkeep_asked = false;

  // Of the intake's own thread.
  Buffer buffer;
  Time::time_point next_upkeep;
  bool has_committed = false;  // since the last upkeep
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait_until(lock, next_upkeep, [&] { return stopping || upkeep_asked || !queue.empty(); });
      if (!queue.empty()) {
        commit_next(lock);
      } else if (stopping) {
        return;
      }
      if (upkeep_asked || Time::now() >= next_upkeep) keep(lock);
    }
  }

  // REQUIRES: mutex held, somebody waits.
  void commit_next(std::unique_lock<std::mutex>& lock) {
    const std::vector<Request> group = next_group();
    lock.unlock();
    const auto begin = Time::now();
    const auto committed = commit(group);
    Commit about{.took = Time::now() - begin, .is_durable = committed.has_value()};
    for (const Request& request : group) {
      about.records += request.payloads.size();
      about.bytes += request.payloads.byte_size();
    }
    if (options.on_commit) options.on_commit(about);
    lock.lock();
    has_committed = has_committed || about.is_durable;
    works = committed.has_value() ? Result<>() : std::unexpected(committed.error());
    count(about);
    look_at_buffer();
    lock.unlock();
    answer(group, committed);
    lock.lock();
  }

  // As many as one commit takes. REQUIRES: mutex held, somebody waits.
  std::vector<Request> next_group() {
    std::vector<Request> group;
    std::size_t bytes = 0;
    while (!queue.empty() &&
           (group.empty() || bytes + queue.front().payloads.byte_size() <= options.commit_bytes_max)) {
      bytes += queue.front().payloads.byte_size();
      group.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    return group;
  }

  Result<SequenceRange> commit(const std::vector<Request>& group) {
    std::vector<std::string_view> payloads;
    for (const Request& request : group)
      for (std::size_t i = 0; i < request.payloads.size(); ++i) payloads.push_back(request.payloads[i]);
    return buffer.commit(payloads);
  }

  static void answer(const std::vector<Request>& group, const Result<SequenceRange>& committed) {
    std::uint64_t next = committed ? committed->first : 0;
    for (const Request& request : group) {
      const SequenceRange own{next, next + request.payloads.size() - 1};
      next += request.payloads.size();
      request.done(committed ? Result<SequenceRange>(own) : committed);
    }
  }

  // REQUIRES: mutex held.
  void count(const Commit& about) {
    waiting_bytes -= about.bytes;
    if (!about.is_durable) {
      status.refused += about.records;
      return;
    }
    ++status.commits;
    status.records += about.records;
    status.bytes += about.bytes;
  }

  // REQUIRES: mutex held, where other threads run.
  void look_at_buffer() {
    status.disk_bytes = buffer.bytes();
    status.free_bytes = buffer.free_bytes();
    status.low_disk = status.free_bytes < 2 * buffer.free_bytes_min();
    status.unsent = buffer.unsent();
  }

  // One segment of retention, and a try of the disk where no commit was one. REQUIRES: mutex held.
  void keep(std::unique_lock<std::mutex>& lock) {
    const std::optional<Retention> by = retention;
    const bool probe = !has_committed || !works;
    const bool due = Time::now() >= next_upkeep;
    if (due) {
      next_upkeep = Time::now() + options.upkeep_every;
      has_committed = false;
    }
    upkeep_asked = false;
    lock.unlock();
    const auto tried = probe && due ? buffer.probe() : Result<>();
    const std::uint64_t before = buffer.floor();
    if (by) retain_one(*by);
    const std::uint64_t removed = buffer.floor() - before;
    lock.lock();
    if (probe && due) works = tried;
    status.removed += removed;
    upkeep_asked = upkeep_asked || removed > 0;  // there may be more to go
    look_at_buffer();
  }

  void retain_one(const Retention& by) {
    const auto removed = buffer.retain(by, 1);
    if (!removed)
      log::error("telemetry: retention could not remove what is due", {{"reason", removed.error().message}});
    else if (*removed && options.on_removed)
      options.on_removed(**removed);
  }
};

Intake::Intake(Buffer buffer, IntakeOptions options)
    : state_(std::make_unique<State>(std::move(buffer), std::move(options))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Intake::~Intake() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work.notify_one();
  state_->thread.join();
}

Result<> Intake::submit(Payloads payloads, Done done) {
  if (payloads.empty()) return fail(Errc::invalid_argument, "no record");
  for (std::size_t i = 0; i < payloads.size(); ++i)
    if (payloads[i].size() > kPayloadMax)
      return fail(Errc::invalid_argument,
                  std::format("a record of {} bytes; {} is the most", payloads[i].size(), kPayloadMax));
  {
    const std::scoped_lock lock(state_->mutex);
    // Whoever comes first is taken whatever its size.
    if (state_->waiting_bytes > 0 && state_->waiting_bytes + payloads.byte_size() > state_->options.waiting_bytes_max) {
      state_->status.refused += payloads.size();
      return fail(Errc::no_space, "more comes than the disk takes; try again in a second");
    }
    state_->waiting_bytes += payloads.byte_size();
    state_->queue.push_back({std::move(payloads), std::move(done)});
  }
  state_->work.notify_one();
  return {};
}

Result<SequenceRange> Intake::commit(Payloads payloads) {
  std::promise<Result<SequenceRange>> promise;
  auto answer = promise.get_future();
  auto taken = submit(std::move(payloads), [&](const Result<SequenceRange>& result) { promise.set_value(result); });
  if (!taken) return std::unexpected(taken.error());
  return answer.get();
}

void Intake::retain(Retention retention) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->retention = std::move(retention);
    state_->upkeep_asked = true;
  }
  state_->work.notify_one();
}

RecordReader& Intake::records() const noexcept { return state_->buffer.records(); }
Result<StoredBatch> Intake::read(std::uint64_t from, std::size_t bytes_max) { return records().read(from, bytes_max); }
std::uint64_t Intake::floor() const { return records().floor(); }
std::uint64_t Intake::acknowledged() const { return records().acknowledged(); }

Intake::Status Intake::status() const {
  Status status;
  {
    const std::scoped_lock lock(state_->mutex);
    status = state_->status;
    status.waiting_bytes = state_->waiting_bytes;
  }
  status.lost = records().lost();
  status.floor = floor();
  status.acknowledged = acknowledged();
  return status;
}

Result<> Intake::writable() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->works;
}

}  // namespace rltune::telemetry
