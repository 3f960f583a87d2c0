#include "rltune/forward/forwarder.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <format>
#include <mutex>
#include <thread>

#include "dead_letters.hpp"
#include "progress.hpp"
#include "retry.hpp"
#include "rltune/base/log.hpp"

namespace rltune::forward {
namespace {

// So many records refused one by one, with none taken in between, are no bad records: the receiver takes nothing of the
// kind. From here on each costs a wait, or a wrong setting over there would empty the buffer into the dead letters.
constexpr std::uint64_t kRefusedInRow = 8;
constexpr std::uint64_t kBytesOfRecord = 256;  // before the first batch has told

using telemetry::SequenceRange;

std::uint64_t seed_of(const std::string& text) {
  return static_cast<std::uint64_t>(::getpid()) ^ std::hash<std::string>{}(text);
}

}  // namespace

struct Forwarder::State {
  State(telemetry::RecordSource& from, std::unique_ptr<Delivery> to, ForwarderOptions with, Progress where,
        const Clock& time)
      : source(from),
        delivery(std::move(to)),
        options(std::move(with)),
        progress(std::move(where)),
        clock(time),
        dead_letters(options.folder, options.dead_letter_bytes_max),
        retry(options.retry_first, options.retry_max, seed_of(options.sink + options.stream)),
        slow(options.denied_first, options.denied_max, seed_of(options.stream + options.sink)),
        place(progress.place()),
        taken(place.delivered) {
    figures.delivered = place.delivered;
  }

  void run() {
    if (place.delivered > source.acknowledged()) restart_behind_the_end();
    while (!over()) {
      if (!place.under_way && !next_range()) continue;
      const auto batch = load();
      if (!batch) {
        fail_for_now(batch.error().message);
      } else if (batch->records.empty()) {
        finish(*batch, 0);
      } else {
        settle(*batch, delivery->deliver(*batch));
      }
    }
  }

  bool over() {
    const std::scoped_lock lock(mutex);
    return stopping;
  }

  // The buffer was put back to an earlier state under the same id.
  void restart_behind_the_end() {
    log::critical("the buffer ends before what was forwarded of it; what it gets from now on is forwarded",
                  {{"sink", options.sink},
                   {"stream", options.stream},
                   {"delivered", std::to_string(place.delivered)},
                   {"acknowledged", std::to_string(source.acknowledged())}});
    place = {.delivered = source.acknowledged(), .under_way = {}};
  }

  // Chooses the next batch and writes it down. False: none yet.
  bool next_range() {
    skip_removed();
    if (!wait_for_records()) return false;
    const auto ahead = source.read(place.delivered + 1, options.batch_bytes_max);
    if (!ahead) return fail_for_now(ahead.error().message), false;
    SequenceRange range{place.delivered + 1, std::max(place.delivered + 1, ahead->next) - 1};
    if (halved_until > place.delivered) range.last = std::min(range.last, halved_until);
    if (range.last < range.first) return false;
    place.under_way = range;
    return write_place();
  }

  void skip_removed() {
    const std::uint64_t floor = source.floor();
    if (place.under_way || floor <= place.delivered + 1) return;
    const std::uint64_t gone = floor - 1 - place.delivered;
    log::warning("retention removed records before they were forwarded",
                 {{"sink", options.sink}, {"stream", options.stream}, {"records", std::to_string(gone)}});
    place.delivered = floor - 1;
    const std::scoped_lock lock(mutex);
    figures.removed += gone;
  }

  // Until there is a batch full, or something has waited for the interval. False: nothing, or the end.
  bool wait_for_records() {
    if (progress.place() != place && source.acknowledged() <= place.delivered && !write_place()) return false;
    std::unique_lock lock(mutex);
    const auto wait_until = [&](std::uint64_t sequence) {
      wake_at = sequence;
      // A source that tells nobody is looked at once an interval.
      return news.wait_for(lock, options.interval, [&] { return stopping || source.acknowledged() >= sequence; });
    };
    if (source.acknowledged() <= place.delivered) wait_until(place.delivered + 1);
    if (stopping || source.acknowledged() <= place.delivered) return false;
    const std::uint64_t full = place.delivered + std::max<std::uint64_t>(options.batch_bytes_max / record_bytes, 1);
    if (halved_until <= place.delivered && source.acknowledged() < full) {
      lock.unlock();
      if (progress.place() != place && !write_place()) return false;
      lock.lock();
      wait_until(full);
    }
    return !stopping;
  }

  // The records of the range that are still there. The same after a restart with other options.
  Result<Batch> load() {
    Batch batch{.buffer_id = options.buffer_id,
                .site = options.site,
                .stream = options.stream,
                .range = *place.under_way,
                .records = {}};
    const std::uint64_t begin = std::clamp(source.floor(), batch.range.first, batch.range.last + 1);
    std::uint64_t next = begin, bytes = 0;
    removed_in_batch = begin - batch.range.first;
    lost_in_batch = 0;
    while (next <= batch.range.last) {
      auto part = source.read(next, options.batch_bytes_max);
      if (!part) return std::unexpected(part.error());
      for (const SequenceRange& gone : part->lost)
        if (gone.first <= batch.range.last) lost_in_batch += std::min(gone.last, batch.range.last) - gone.first + 1;
      for (telemetry::StoredRecord& stored : part->records) {
        if (stored.sequence > batch.range.last) break;
        bytes += stored.payload.size();
        batch.records.push_back(unwrap(std::move(stored)));
      }
      if (part->next <= next) break;
      next = part->next;
    }
    if (!batch.records.empty()) record_bytes = std::max<std::uint64_t>(bytes / batch.records.size(), 1);
    return batch;
  }

  Record unwrap(telemetry::StoredRecord stored) const {
    if (options.unwrap) return options.unwrap(std::move(stored));
    return {.sequence = stored.sequence,
            .id = record_id(options.buffer_id, options.stream, stored.sequence),
            .site = options.site,
            .unix_ns = stored.unix_ns,
            .entry = std::move(stored.payload)};
  }

  void settle(const Batch& batch, const Outcome& outcome) {
    switch (outcome.kind) {
      case Outcome::Kind::delivered:
        return keep_refused(batch, outcome);
      case Outcome::Kind::again:
        return fail_for_now(outcome.reason, outcome.retry_after);
      case Outcome::Kind::denied:
        return fail_slowly(outcome.reason, outcome.retry_after);
      case Outcome::Kind::refused:
        if (batch.records.size() > 1) return halve(batch);
        return keep_refused(batch, {.refused = {{batch.records[0].sequence, outcome.reason}}});
    }
  }

  void keep_refused(const Batch& batch, const Outcome& outcome) {
    if (auto kept = dead_letters.add(batch, outcome, clock.now()); !kept) return fail_for_now(kept.error().message);
    const std::uint64_t refused = outcome.refused.size() + outcome.refused_unnamed;
    finish(batch, std::min<std::uint64_t>(refused, batch.records.size()));
    if (refused == 0) return;
    const std::string& reason = outcome.refused.empty() ? outcome.reason : outcome.refused.front().reason;
    log::warning(
        "a receiver refused records; they are dead letters",
        {{"sink", options.sink}, {"stream", options.stream}, {"records", std::to_string(refused)}, {"reason", reason}});
    if (refused_in_row > kRefusedInRow) fail_for_now("everything is refused: " + reason);
  }

  void finish(const Batch& batch, std::uint64_t refused) {
    place = {.delivered = batch.range.last, .under_way = {}};
    const std::uint64_t sent = batch.records.size() - refused;
    refused_in_row = sent > 0 || batch.records.empty() ? 0 : refused_in_row + refused;
    if (refused_in_row <= kRefusedInRow) {
      retry.reset();
      slow.reset();
    }
    const std::scoped_lock lock(mutex);
    if (sent > 0 && !figures.trouble.empty()) log::info("a sink takes again", {{"sink", options.sink}});
    if (sent > 0) figures.trouble.clear();
    if (sent > 0) figures.last_success = clock.now();
    figures.sent_records += sent;
    figures.sent_batches += sent > 0 ? 1U : 0U;
    figures.refused += refused;
    figures.lost += lost_in_batch;
    figures.removed += removed_in_batch;
    figures.dropped = dead_letters.dropped();
  }

  void halve(const Batch& batch) {
    halved_until = std::max(halved_until, batch.range.last);
    place.under_way = SequenceRange{batch.range.first, batch.records[(batch.records.size() / 2) - 1].sequence};
    write_place();
  }

  bool write_place() {
    if (auto moved = progress.move_to(place); !moved) {
      // Nothing goes that is not written down: it is chosen anew.
      if (progress.place() != place) place.under_way.reset();
      return fail_for_now(moved.error().message), false;
    }
    taken = place.delivered;
    return true;
  }

  void fail_for_now(const std::string& reason, std::optional<Duration> wish = std::nullopt) {
    wait_after(reason, retry.next(wish));
  }
  void fail_slowly(const std::string& reason, std::optional<Duration> wish = std::nullopt) {
    wait_after(reason, std::max(slow.next(wish), options.denied_first / 2));
  }
  void wait_after(const std::string& reason, Duration wait) {
    std::unique_lock lock(mutex);
    if (stopping) return;
    if (figures.trouble != reason)
      log::warning("a sink does not take what there is; it is sent again",
                   {{"sink", options.sink}, {"stream", options.stream}, {"reason", reason}});
    figures.trouble = reason;
    ++figures.retried;
    ends.wait_for(lock, wait, [this] { return stopping; });
  }

  telemetry::RecordSource& source;
  const std::unique_ptr<Delivery> delivery;
  const ForwarderOptions options;
  Progress progress;
  const Clock& clock;
  DeadLetters dead_letters;
  Retry retry, slow;
  Place place;                     // ahead of `progress` by one batch at most
  std::uint64_t halved_until = 0;  // up to here a refused record is looked for
  std::uint64_t refused_in_row = 0, lost_in_batch = 0, removed_in_batch = 0;
  std::atomic<std::uint64_t> record_bytes = kBytesOfRecord;

  std::atomic<std::uint64_t> taken, wake_at = 0;
  mutable std::mutex mutex;
  std::condition_variable news, ends;
  bool stopping = false;
  Figures figures;
  std::thread thread;
};

std::string record_id(const std::string& buffer_id, const std::string& stream, std::uint64_t sequence) {
  return std::format("{}-{}-{}", buffer_id, stream, sequence);
}

std::string Batch::id() const { return std::format("{}/{}/{}-{}", buffer_id, stream, range.first, range.last); }

Result<std::unique_ptr<Forwarder>> Forwarder::start(telemetry::RecordSource& source, std::unique_ptr<Delivery> delivery,
                                                    ForwarderOptions options, const Clock& clock) {
  auto progress = Progress::open(options.folder, options.buffer_id);
  if (!progress) return std::unexpected(progress.error());
  if (progress->begins_anew())
    log::warning("nothing is known of what was forwarded of this buffer; all of it is",
                 {{"sink", options.sink}, {"stream", options.stream}});
  auto state = std::make_unique<State>(source, std::move(delivery), std::move(options), std::move(*progress), clock);
  state->thread = std::thread([running = state.get()] { running->run(); });
  return std::unique_ptr<Forwarder>(new Forwarder(std::move(state)));
}

Forwarder::Forwarder(std::unique_ptr<State> state) : state_(std::move(state)) {}

Forwarder::~Forwarder() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->delivery->cancel();
  state_->news.notify_all();
  state_->ends.notify_all();
  state_->thread.join();
}

void Forwarder::notify() noexcept {
  if (state_->source.acknowledged() < state_->wake_at) return;
  const std::scoped_lock lock(state_->mutex);
  state_->news.notify_all();
}

Figures Forwarder::figures() const {
  const std::uint64_t acknowledged = state_->source.acknowledged();
  const std::scoped_lock lock(state_->mutex);
  Figures figures = state_->figures;
  figures.delivered = state_->taken;
  figures.waiting_records = acknowledged > figures.delivered ? acknowledged - figures.delivered : 0;
  figures.waiting_bytes = figures.waiting_records * state_->record_bytes;
  return figures;
}

std::uint64_t Forwarder::taken() const noexcept { return state_->taken; }

}  // namespace rltune::forward
