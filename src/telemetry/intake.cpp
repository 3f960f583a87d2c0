#include "rltune/telemetry/intake.hpp"

#include <condition_variable>
#include <deque>
#include <format>
#include <future>
#include <mutex>
#include <thread>

#include "frame.hpp"

namespace rltune::telemetry {

struct Intake::State {
  struct Request {
    std::vector<std::string> payloads;
    std::size_t bytes = 0;
    Done done;
  };

  State(Buffer of, const IntakeOptions& with) : options(with), buffer(std::move(of)) {}

  IntakeOptions options;
  mutable std::mutex mutex;
  std::condition_variable work;
  std::deque<Request> queue;
  std::size_t waiting_bytes = 0;
  Counts counts;
  bool stopping = false;

  std::mutex disk;  // held by whoever uses the buffer
  Buffer buffer;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [&] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      std::vector<Request> group = next_group();
      lock.unlock();
      const auto committed = commit(group);
      lock.lock();
      count(group, committed.has_value());
    }
  }

  // As many as one commit takes. REQUIRES: mutex held, somebody waits.
  std::vector<Request> next_group() {
    std::vector<Request> group;
    std::size_t bytes = 0;
    while (!queue.empty() && (group.empty() || bytes + queue.front().bytes <= options.commit_bytes_max)) {
      bytes += queue.front().bytes;
      group.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    return group;
  }

  Result<SequenceRange> commit(const std::vector<Request>& group) {
    std::vector<std::string_view> payloads;
    for (const Request& request : group)
      payloads.insert(payloads.end(), request.payloads.begin(), request.payloads.end());
    const auto committed = [&] {
      const std::scoped_lock lock(disk);
      return buffer.commit(payloads);
    }();
    std::uint64_t next = committed ? committed->first : 0;
    for (const Request& request : group) {
      const SequenceRange own{next, next + request.payloads.size() - 1};
      next += request.payloads.size();
      request.done(committed ? Result<SequenceRange>(own) : committed);
    }
    return committed;
  }

  // REQUIRES: mutex held.
  void count(const std::vector<Request>& group, bool committed) {
    counts.commits += committed ? 1U : 0U;
    for (const Request& request : group) {
      waiting_bytes -= request.bytes;
      (committed ? counts.records : counts.refused) += request.payloads.size();
    }
  }
};

Intake::Intake(Buffer buffer, IntakeOptions options) : state_(std::make_unique<State>(std::move(buffer), options)) {
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

Result<> Intake::submit(std::vector<std::string> payloads, Done done) {
  State::Request request{.payloads = std::move(payloads), .done = std::move(done)};
  if (request.payloads.empty()) return fail(Errc::invalid_argument, "no record");
  for (const std::string& payload : request.payloads) {
    if (payload.size() > kPayloadMax)
      return fail(Errc::invalid_argument,
                  std::format("a record of {} bytes; {} is the most", payload.size(), kPayloadMax));
    request.bytes += payload.size();
  }
  {
    const std::scoped_lock lock(state_->mutex);
    // Whoever comes first is taken whatever its size.
    if (state_->waiting_bytes > 0 && state_->waiting_bytes + request.bytes > state_->options.waiting_bytes_max) {
      state_->counts.refused += request.payloads.size();
      return fail(Errc::no_space, "more comes than the disk takes; try again in a second");
    }
    state_->waiting_bytes += request.bytes;
    state_->queue.push_back(std::move(request));
  }
  state_->work.notify_one();
  return {};
}

Result<SequenceRange> Intake::commit(std::vector<std::string> payloads) {
  std::promise<Result<SequenceRange>> promise;
  auto answer = promise.get_future();
  auto taken = submit(std::move(payloads), [&](const Result<SequenceRange>& result) { promise.set_value(result); });
  if (!taken) return std::unexpected(taken.error());
  return answer.get();
}

Result<StoredBatch> Intake::read(std::uint64_t from, std::size_t bytes_max) {
  const std::scoped_lock lock(state_->disk);
  return state_->buffer.read(from, bytes_max);
}

Intake::Counts Intake::counts() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counts;
}

}  // namespace rltune::telemetry
