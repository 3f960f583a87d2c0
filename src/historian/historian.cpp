#include "rltune/historian/historian.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <format>
#include <mutex>
#include <thread>

#include "raw_segment.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/log.hpp"
#include "rollup_store.hpp"
#include "storage_estimate.hpp"

namespace rltune::historian {
namespace {

using sqlite::guarded;
using sqlite::to_nanoseconds;
using sqlite::to_time;

using Steady = std::chrono::steady_clock;
// The disk is tried again after a while: a queue of bounded size waits meanwhile.
constexpr Breaker::Policy kRetry{
    .failures_max = 1, .wait_first = std::chrono::milliseconds(250), .wait_max = std::chrono::milliseconds(500)};
constexpr auto kFlushTimeout = std::chrono::seconds(30);
constexpr std::uint64_t kSegmentBytesMax = 64U << 20U;
constexpr std::uint64_t kSegmentBytesMin = 1U << 20U;
constexpr std::size_t kDirtyAtOnce = 20'000;
constexpr std::size_t kUnlimited = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

// Only one process writes a folder; the kernel forgets the lock with the process.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder) {
    const auto path = folder / "historian.lock";
    FolderLock lock;
    lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock.descriptor_ < 0)
      return fail(Errc::io, std::format("cannot open {}: {}", path.string(), std::strerror(errno)));
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
      return fail(Errc::denied, std::format("{}: another process writes this folder; stop it first", folder.string()));
    return lock;
  }
  FolderLock() = default;
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

struct Historian::State {
  Options options;
  std::vector<std::string> tags;
  bool writes = false;
  FolderLock folder_lock;

  // Shared, under `mutex`.
  mutable std::mutex mutex;
  std::condition_variable work, done;
  std::deque<Sample> queue;
  std::uint64_t appended = 0, settled = 0;  // settled: committed or dropped
  std::uint64_t dropped = 0, dropped_reported = 0;
  std::uint64_t flush_target = 0;
  Breaker breaker{kRetry};  // before the disk
  std::size_t in_hand = 0;
  Error last_error;
  TimePoint trouble_since{};
  bool trouble = false, stopping = false;
  std::string maintenance_trouble, damage;
  struct Maintenance {
    TimePoint now{};
    std::optional<Result<>> result;
  };
  Maintenance* requested = nullptr;
  std::vector<SegmentInfo> segments;  // closed ones and, last, the one that is written
  std::int64_t samples_removed = 0;

  // The writer thread's alone.
  std::optional<SegmentWriter> segment;
  std::int64_t rolled_up_until = kNever;
  std::int64_t newest = kNever;
  bool reopen = true;  // the last segment may be continued
  std::set<std::filesystem::path> may_be_dirty;
  Steady::time_point maintained = Steady::now();
  std::thread thread;

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    if (thread.joinable()) thread.join();
  }

  std::filesystem::path rollups_path() const { return options.folder / "rollups.db"; }

  // ---- the writer thread

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      wait_for_work(lock);
      if (stopping && queue.empty()) return;
      breaker.allows(WallClock().steady());
      if (!queue.empty() && !commit_some(lock)) {
        if (stopping) return report_loss();
        work.wait_for(lock, breaker.try_at() - WallClock().steady(), [&] { return stopping; });
      }
      maintain_if_due(lock);
    }
  }

  bool commit_due() const {
    return queue.size() >= options.batch_samples_max || (!queue.empty() && flush_target > settled);
  }

  void wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto urgent = [&] { return stopping || requested != nullptr || commit_due(); };
    const auto maintenance = maintained + options.maintain_every;
    if (queue.empty()) work.wait_until(lock, maintenance, [&] { return urgent() || !queue.empty(); });
    if (!queue.empty()) work.wait_for(lock, options.batch_wait, urgent);
  }

  bool commit_some(std::unique_lock<std::mutex>& lock) {
    const std::size_t count = std::min(queue.size(), options.batch_samples_max);
    std::vector<Sample> batch(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    in_hand = count;
    lock.unlock();
    Result<> committed = commit(batch);
    if (!committed && committed.error().code == Errc::corrupt) committed = commit(batch);  // to another file
    lock.lock();
    in_hand = 0;
    if (committed) {
      settled += count;
      trouble = false;
      breaker.succeeded();
    } else {
      queue.insert(queue.begin(), batch.begin(), batch.end());
      drop_oldest();
      breaker.failed(WallClock().steady());
      note_trouble(committed.error());
    }
    done.notify_all();
    return committed.has_value();
  }

  // REQUIRES: mutex held.
  void drop_oldest() {
    const std::size_t room = options.queue_samples_max;
    if (queue.size() + in_hand <= room) return;
    const std::size_t excess = std::min(queue.size(), queue.size() + in_hand - room);
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(excess));
    dropped += excess;
    settled += excess;
  }

  void note_trouble(const Error& error) {
    last_error = error;
    if (trouble) return;
    trouble = true;
    trouble_since = std::chrono::system_clock::now();
    log::error("samples cannot be stored and wait in memory", {{"reason", error.message}});
  }

  void report_loss() const {
    log::critical("samples were lost at stop",
                  {{"count", std::to_string(queue.size())}, {"reason", last_error.message}});
  }

  Result<> commit(std::span<const Sample> batch) {
    const auto path = [&] { return segment ? segment->info().path : segment_path(options.folder, next_number()); }();
    try {
      if (!segment) open_segment();
      segment->commit(batch, tags, rolled_up_until);
      may_be_dirty.insert(segment->info().path);
      newest = std::max(newest, segment->info().newest);
      publish_segment();
      const bool wal_stays_long =
          sqlite::wal_bytes(segment->info().path) > options.wal_bytes_max && !sqlite::restart_wal(segment->database());
      if (wal_stays_long || segment_is_full()) segment.reset();
      return {};
    } catch (const SQLite::Exception& exception) {
      Error error =
          segment ? sqlite::to_error(exception, path, segment->database()) : sqlite::to_error(exception, path);
      segment.reset();  // a connection that failed half-way is not trusted again
      reopen = error.code != Errc::corrupt;
      if (!reopen) lose_segment(path, error.message);
      return std::unexpected(std::move(error));
    }
  }

  // A new file, or the last one again after an error or a restart.
  int next_number() const {
    const std::lock_guard lock(mutex);
    if (reopen && !segments.empty()) return segments.back().number;
    int number = segments.empty() ? 1 : segments.back().number + 1;
    while (std::filesystem::exists(segment_path(options.folder, number))) ++number;  // damaged ones stay where they are
    return number;
  }

  void open_segment() {
    const int number = next_number();
    const auto path = segment_path(options.folder, number);
    // Nothing is written into a file whose pages do not fit together.
    if (const std::string found = std::filesystem::exists(path) ? damage_in(path) : ""; !found.empty())
      throw SQLite::Exception(found, SQLITE_CORRUPT);
    segment.emplace(SegmentInfo{.number = number, .path = path}, options.wal_bytes_max);
    reopen = false;
  }

  // What it held is missing from now on; the rest goes on.
  void lose_segment(const std::filesystem::path& path, const std::string& why) {
    if (segment && segment->info().path == path) {
      segment.reset();
      reopen = false;
    }
    may_be_dirty.erase(path);
    {
      const std::lock_guard lock(mutex);
      std::erase_if(segments, [&](const SegmentInfo& info) { return info.path == path; });
    }
    note_damage(path, why);
    [[maybe_unused]] const auto aside =
        put_aside(path, why, "its samples are missing; those that come go to another file");
  }

  void publish_segment() {
    const std::lock_guard lock(mutex);
    if (segments.empty() || segments.back().number != segment->info().number)
      segments.push_back(segment->info());
    else
      segments.back() = segment->info();
  }

  std::uint64_t segment_bytes_max() const {
    const std::uint64_t limit = options.retention.bytes_max;
    return limit == 0 ? kSegmentBytesMax : std::clamp(limit / 8, kSegmentBytesMin / 4, kSegmentBytesMax);
  }

  // By size; and by age, so that retention by age has whole files to remove.
  bool segment_is_full() const {
    const std::uint64_t bytes = sqlite::file_bytes(segment->info().path);
    if (bytes >= segment_bytes_max()) return true;
    const Duration span(segment->info().newest - segment->info().oldest);
    return span > options.retention.raw || (bytes >= kSegmentBytesMin && span > options.retention.raw / 8);
  }

  // ---- maintenance, on the writer thread

  void maintain_if_due(std::unique_lock<std::mutex>& lock) {
    Maintenance* const request = requested;
    const bool due = Steady::now() >= maintained + options.maintain_every;
    if (request == nullptr && (!due || newest == kNever)) {
      if (due) maintained = Steady::now();
      return;
    }
    lock.unlock();
    Result<> result = maintain_now(request != nullptr ? request->now : to_time(newest));
    lock.lock();
    maintained = Steady::now();
    if (!result && maintenance_trouble != result.error().message)
      log::warning("the historian's maintenance waits", {{"reason", result.error().message}});
    maintenance_trouble = result ? "" : result.error().message;
    if (request == nullptr) return;
    request->result = std::move(result);
    requested = nullptr;
    done.notify_all();
  }

  Result<> maintain_now(TimePoint now) {
    auto maintained_well = maintain_once(now);
    if (maintained_well || maintained_well.error().code != Errc::corrupt) return maintained_well;
    if (lose_what_is_damaged()) return maintain_once(now);
    // Its pages fit together all the same: it is passed by, and the rest goes on.
    note_damage(options.folder, maintained_well.error().message);
    if (!may_be_dirty.empty()) may_be_dirty.erase(may_be_dirty.begin());
    return {};
  }

  // What is wrong with a file; empty when nothing is, or when it cannot be told now.
  static std::string damage_in(const std::filesystem::path& path) {
    const auto found =
        guarded(path, [&] { return sqlite::damage_of(*sqlite::open_reader(path), sqlite::Scrutiny::quick); });
    if (found) return *found;
    return found.error().code == Errc::corrupt ? found.error().message : "";
  }

  bool lose_what_is_damaged() {
    bool lost = false;
    for (const SegmentInfo& info : all_segments())
      if (const std::string found = damage_in(info.path); !found.empty()) {
        lose_segment(info.path, found);
        lost = true;
      }
    if (const std::string found = damage_in(rollups_path()); !found.empty()) lost = lose_rollups(found) || lost;
    return lost;
  }

  // They follow from the samples that are there; what is older comes back with a backup alone. The samples' files
  // remember that they are to be rolled up again before the rollups go: a kill in between begins this again.
  bool lose_rollups(const std::string& why) {
    note_damage(rollups_path(), why);
    for (const SegmentInfo& info : all_segments()) {
      const auto marked =
          guarded(info.path, [&] { mark_all_dirty(*sqlite::open_writer(info.path, options.wal_bytes_max)); });
      if (!marked) log::warning("samples are not rolled up again", {{"reason", marked.error().message}});
      may_be_dirty.insert(info.path);
    }
    rolled_up_until = kNever;
    return put_aside(rollups_path(), why, "rollups are computed again from the samples that are there").has_value();
  }

  Result<> maintain_once(TimePoint now) {
    return guarded(rollups_path(),
                   [&]() -> Result<> {
                     RollupStore rollups(rollups_path(), options.wal_bytes_max);
                     if (sqlite::wal_bytes(rollups_path()) > options.wal_bytes_max &&
                         !sqlite::restart_wal(rollups.database()))
                       return fail(Errc::timeout, std::format("rollups and retention wait: a reader holds on to {}",
                                                              rollups_path().string()));
                     if (auto rolled = roll_up_dirty(rollups); !rolled) return rolled;
                     expire(rollups, now);
                     checkpoint_closed_segments();
                     return {};
                   })
        .and_then([](Result<> inner) { return inner; });
  }

  Result<> roll_up_dirty(RollupStore& rollups) {
    while (!may_be_dirty.empty()) {
      const auto path = *may_be_dirty.begin();
      if (std::filesystem::exists(path)) {
        const auto rolled = guarded(path, [&] { roll_up_segment(rollups, path); });
        if (!rolled) return rolled;
      }
      may_be_dirty.erase(path);
    }
    return {};
  }

  void note_damage(const std::filesystem::path& path, const std::string& why) {
    const std::lock_guard lock(mutex);
    damage += std::format("{}{} is damaged ({})", damage.empty() ? "" : "; ", path.string(), why);
  }

  void roll_up_segment(RollupStore& rollups, const std::filesystem::path& path) {
    const sqlite::Connection connection = sqlite::open_writer(path, options.wal_bytes_max);
    if (!sqlite::has_table(*connection, "dirty")) return;
    const std::vector<DirtyMinute> dirty = dirty_minutes(*connection);
    std::map<std::filesystem::path, SegmentReader> readers;
    for (std::size_t begin = 0; begin < dirty.size(); begin += kDirtyAtOnce) {
      const auto some = std::span(dirty).subspan(begin, std::min(kDirtyAtOnce, dirty.size() - begin));
      std::map<DirtyMinute, Rollup> minutes;
      for (const DirtyMinute& minute : some) minutes[minute] = roll_up_minute(readers, minute);
      rollups.store(minutes);
      forget_dirty_minutes(*connection, some);
    }
  }

  Rollup roll_up_minute(std::map<std::filesystem::path, SegmentReader>& readers, const DirtyMinute& minute) const {
    const std::int64_t end = minute.start + length_of(Resolution::minute).count();
    std::vector<Sample> samples;
    for (const SegmentInfo& info : overlapping(minute.start, end)) {
      auto reader = readers.find(info.path);
      if (reader == readers.end()) reader = readers.emplace(info.path, SegmentReader(info.path)).first;
      std::vector<Sample> more;
      reader->second.read(minute.tag, minute.start, end, kUnlimited, more);
      merge_samples(samples, std::move(more));
    }
    std::erase_if(samples, [](const Sample& sample) { return sample.element != 0; });
    return roll_up(to_time(minute.start), samples);
  }

  void expire(RollupStore& rollups, TimePoint now) {
    const Retention& retention = options.retention;
    const std::int64_t cutoff = to_nanoseconds(now - retention.raw);
    while (const auto oldest = oldest_closed_segment()) {
      if (oldest->newest >= cutoff) break;
      remove_segment(rollups, *oldest);
    }
    rollups.remove_before(Resolution::minute, now - retention.minute);
    rollups.remove_before(Resolution::five_minutes, now - retention.five_minutes);
    if (retention.bytes_max > 0) expire_by_size(rollups);
    rollups.shrink();
  }

  void expire_by_size(RollupStore& rollups) {
    const auto too_much = [&] { return all_bytes() > options.retention.bytes_max; };
    while (too_much()) {
      const auto oldest = oldest_closed_segment();
      if (!oldest) break;
      remove_segment(rollups, *oldest);
    }
    for (const Resolution resolution : {Resolution::minute, Resolution::five_minutes})
      while (too_much() && rollups.remove_oldest(resolution)) {
        rollups.shrink();
        sqlite::restart_wal(rollups.database());
      }
  }

  std::uint64_t all_bytes() const {
    std::uint64_t bytes = sqlite::file_bytes(rollups_path());
    const std::lock_guard lock(mutex);
    for (const SegmentInfo& info : segments) bytes += sqlite::file_bytes(info.path);
    return bytes;
  }

  // The one whose newest sample is oldest.
  std::optional<SegmentInfo> oldest_closed_segment() const {
    const std::lock_guard lock(mutex);
    const SegmentInfo* oldest = nullptr;
    for (const SegmentInfo& info : segments)
      if (!(segment && info.number == segment->info().number) && (oldest == nullptr || info.newest < oldest->newest))
        oldest = &info;
    return oldest == nullptr ? std::nullopt : std::optional(*oldest);
  }

  // First what may never be computed again is written down, then the file goes.
  void remove_segment(RollupStore& rollups, const SegmentInfo& info) {
    rolled_up_until = std::max(rolled_up_until, info.newest);
    rollups.set_removed(rolled_up_until, rollups.samples_removed() + info.samples);
    sqlite::remove_database(info.path);
    const std::lock_guard lock(mutex);
    samples_removed += info.samples;
    std::erase_if(segments, [&](const SegmentInfo& other) { return other.number == info.number; });
  }

  // A log that a reader kept from shrinking while its file was written.
  void checkpoint_closed_segments() {
    for (const SegmentInfo& info : closed_segments()) {
      if (sqlite::wal_bytes(info.path) == 0) continue;
      const sqlite::Connection connection = sqlite::open_writer(info.path, options.wal_bytes_max);
      sqlite::restart_wal(*connection);  // closing the last connection then removes it
    }
  }

  std::vector<SegmentInfo> closed_segments() const {
    const std::lock_guard lock(mutex);
    std::vector<SegmentInfo> closed = segments;
    if (segment && !closed.empty() && closed.back().number == segment->info().number) closed.pop_back();
    return closed;
  }

  // ---- reading, on any thread

  std::vector<SegmentInfo> all_segments() const {
    if (writes) {
      const std::lock_guard lock(mutex);
      return segments;
    }
    std::vector<DamagedSegment> damaged;
    return list_segments(options.folder, damaged);
  }

  std::vector<SegmentInfo> overlapping(std::int64_t from, std::int64_t to) const {
    std::vector<SegmentInfo> found = all_segments();
    std::erase_if(found, [&](const SegmentInfo& info) { return !info.overlaps(from, to); });
    return found;
  }

  Result<std::vector<Sample>> read(const std::string& tag, std::int64_t from, std::int64_t to,
                                   std::size_t limit) const {
    std::vector<Sample> samples;
    for (const SegmentInfo& info : overlapping(from, to)) {
      if (!info.overlaps(from, to)) continue;  // a page that is full ends before it
      std::vector<Sample> more;
      auto read = guarded(info.path, [&] { SegmentReader(info.path).read(tag, from, to, limit, more); });
      if (!read && std::filesystem::exists(info.path)) return std::unexpected(read.error());  // else retention took it
      merge_samples(samples, std::move(more));
      if (samples.size() <= limit) continue;
      samples.resize(limit);
      to = to_nanoseconds(samples.back().source_time) + 1;
    }
    return samples;
  }

  std::optional<std::uint32_t> tag_index(const std::string& tag) const {
    const auto found = std::ranges::find(tags, tag);
    if (found == tags.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - tags.begin());
  }

  std::string trouble_text() const {
    std::string text;
    const auto add = [&](const std::string& more) {
      if (!more.empty()) text += (text.empty() ? "" : "; ") + more;
    };
    if (trouble)
      add(std::format("{} since {}: {}", last_error.code == Errc::no_space ? "disk full" : to_string(last_error.code),
                      format_rfc3339(std::chrono::floor<std::chrono::seconds>(trouble_since)), last_error.message));
    add(maintenance_trouble);
    return text;
  }

  Result<> load();
};

Result<> Historian::State::load() {
  std::vector<DamagedSegment> damaged;
  segments = list_segments(options.folder, damaged);
  for (const DamagedSegment& one : damaged) {
    if (writes && one.error.code == Errc::corrupt)
      lose_segment(one.path, one.error.message);
    else
      note_damage(one.path, one.error.message);
  }
  for (const SegmentInfo& info : segments) {
    newest = std::max(newest, info.newest);
    may_be_dirty.insert(info.path);
  }
  if (!std::filesystem::exists(rollups_path())) return {};
  auto loaded = guarded(rollups_path(), [&] {
    const sqlite::Connection connection = sqlite::open_reader(rollups_path());
    if (!sqlite::has_table(*connection, "removed")) return;
    SQLite::Statement statement(*connection, "SELECT rolled_up_until, samples FROM removed");
    if (!statement.executeStep()) return;
    rolled_up_until = statement.getColumn(0).getInt64();
    samples_removed = statement.getColumn(1).getInt64();
  });
  if (loaded || loaded.error().code != Errc::corrupt) return loaded;
  if (!writes) note_damage(rollups_path(), loaded.error().message);
  return {};  // maintenance finds it out again and puts it aside
}

Result<Historian> Historian::open(const Options& options, std::span<const std::string> tags) {
  std::error_code code;
  std::filesystem::create_directories(options.folder, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", options.folder.string(), code.message()));
  auto lock = FolderLock::take(options.folder);
  if (!lock) return std::unexpected(lock.error());
  auto state = std::make_unique<State>();
  state->options = options;
  if (const std::uint64_t limit = options.retention.bytes_max; limit > 0)
    state->options.wal_bytes_max = std::min(options.wal_bytes_max, std::max(limit / 8, kSegmentBytesMin / 4));
  state->tags.assign(tags.begin(), tags.end());
  state->writes = true;
  state->folder_lock = std::move(*lock);
  if (auto loaded = state->load(); !loaded) return std::unexpected(loaded.error());
  state->thread = std::thread([raw = state.get()] { raw->run(); });
  return Historian(std::move(state));
}

Result<Historian> Historian::open_reader(const std::filesystem::path& folder, const Retention& retention) {
  if (!std::filesystem::is_directory(folder))
    return fail(Errc::not_found, std::format("{}: no such folder", folder.string()));
  auto state = std::make_unique<State>();
  state->options.folder = folder;
  state->options.retention = retention;
  if (auto loaded = state->load(); !loaded) return std::unexpected(loaded.error());
  std::set<std::string> known;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names)
      if (known.insert(name).second) state->tags.push_back(name);
  };
  for (const SegmentInfo& info : state->segments) {
    auto names = guarded(info.path, [&] { return SegmentReader(info.path).tags(); });
    if (!names) return std::unexpected(names.error());
    add(*names);
  }
  if (std::filesystem::exists(state->rollups_path())) {
    auto names =
        guarded(state->rollups_path(), [&] { return rollup_tags(*sqlite::open_reader(state->rollups_path())); });
    if (!names && names.error().code != Errc::corrupt) return std::unexpected(names.error());
    if (names) add(*names);
  }
  return Historian(std::move(state));
}

Historian::Historian(std::unique_ptr<State> state) : state_(std::move(state)) {}
Historian::~Historian() = default;
Historian::Historian(Historian&&) noexcept = default;
Historian& Historian::operator=(Historian&&) noexcept = default;

std::vector<std::string> Historian::tags() const { return state_->tags; }

void Historian::append(std::span<const Sample> samples) noexcept {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    for (const Sample& sample : samples) RLTUNE_CHECK(sample.tag < state.tags.size());
    state.appended += samples.size();
    if (!state.writes) {
      state.dropped += samples.size();
      state.settled += samples.size();
      return;
    }
    state.queue.insert(state.queue.end(), samples.begin(), samples.end());
    state.drop_oldest();
  }
  state.work.notify_one();
}

Result<> Historian::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.appended, failed_before = state.breaker.failures();
  state.flush_target = std::max(state.flush_target, target);
  state.work.notify_one();
  // Two failures: the first may be of an attempt that began before this call.
  const bool in_time = state.done.wait_for(
      lock, kFlushTimeout, [&] { return state.settled >= target || state.breaker.failures() >= failed_before + 2; });
  const std::uint64_t lost = state.dropped - std::exchange(state.dropped_reported, state.dropped);
  if (state.settled < target && in_time) return std::unexpected(state.last_error);
  if (state.settled < target)
    return fail(Errc::timeout, std::format("{}: samples were not on disk after 30 s", state.options.folder.string()));
  if (lost > 0)
    return fail(Errc::no_space,
                std::format("{}: {} samples were dropped, the queue was full", state.options.folder.string(), lost));
  return {};
}

Result<> Historian::maintain(TimePoint now) {
  State& state = *state_;
  if (!state.writes) return fail(Errc::denied, "a reader cannot maintain the historian");
  if (auto flushed = flush(); !flushed) return flushed;
  State::Maintenance request{.now = now};
  std::unique_lock lock(state.mutex);
  state.done.wait(lock, [&] { return state.requested == nullptr; });
  state.requested = &request;
  state.work.notify_one();
  state.done.wait(lock, [&] { return request.result.has_value(); });
  state.done.notify_all();
  return *request.result;
}

Status Historian::status() const {
  const State& state = *state_;
  const std::vector<SegmentInfo> segments = state.all_segments();
  Status status;
  StorageFigures figures;
  std::int64_t samples = 0;
  for (const SegmentInfo& info : segments) {
    samples += info.samples;
    figures.raw_bytes += static_cast<double>(sqlite::file_bytes(info.path));
    status.bytes_wal += sqlite::wal_bytes(info.path);
  }
  figures.rollup_bytes = static_cast<double>(sqlite::file_bytes(state.rollups_path()));
  status.bytes_wal += sqlite::wal_bytes(state.rollups_path());
  status.bytes_database = static_cast<std::uint64_t>(figures.raw_bytes + figures.rollup_bytes);
  std::error_code code;
  const auto space = std::filesystem::space(state.options.folder, code);
  status.bytes_free = code ? 0 : space.available;
  if (samples > 0)
    figures.raw_bytes_per_day = raw_bytes_per_day(segments, figures.raw_bytes / static_cast<double>(samples));
  figures.tags = static_cast<double>(state.tags.size());
  status.bytes_per_day = bytes_per_day(figures);
  status.bytes_settled = bytes_after(365.0, figures, state.options.retention);
  status.days_until_full = days_until_full(figures, state.options.retention, static_cast<double>(status.bytes_free));

  const std::lock_guard lock(state.mutex);
  status.samples_committed = static_cast<std::uint64_t>(samples + state.samples_removed);
  status.samples_waiting = state.queue.size() + state.in_hand;
  status.samples_dropped = state.dropped;
  status.trouble = state.trouble_text();
  status.damage = state.damage;
  status.circuit = state.breaker.figures();
  return status;
}

Result<std::vector<Sample>> Historian::samples(const std::string& tag, TimePoint from, TimePoint to,
                                               std::size_t limit) const {
  const auto index = state_->tag_index(tag);
  if (!index) return fail(Errc::not_found, std::format("no tag '{}' in the historian", tag));
  if (limit == 0) return std::vector<Sample>{};
  auto page = state_->read(tag, to_nanoseconds(from), to_nanoseconds(to), limit + 1);
  if (!page) return page;
  if (page->size() > limit) {
    // The last instant may be cut: it belongs to the next page, unless it is the only one.
    const TimePoint cut = (*page)[limit].source_time;
    page->resize(limit);
    if (page->front().source_time == cut)
      page = state_->read(tag, to_nanoseconds(cut), to_nanoseconds(cut) + 1, kUnlimited);
    else
      std::erase_if(*page, [&](const Sample& sample) { return sample.source_time == cut; });
  }
  if (page)
    for (Sample& sample : *page) sample.tag = *index;
  return page;
}

Result<std::vector<Rollup>> Historian::rollups(const std::string& tag, Resolution resolution, TimePoint from,
                                               TimePoint to, std::size_t limit) const {
  if (!state_->tag_index(tag)) return fail(Errc::not_found, std::format("no tag '{}' in the historian", tag));
  if (resolution == Resolution::raw) return fail(Errc::invalid_argument, "raw samples are read with samples()");
  if (!std::filesystem::exists(state_->rollups_path())) return std::vector<Rollup>{};
  return guarded(state_->rollups_path(), [&] {
    const sqlite::Connection connection = sqlite::open_reader(state_->rollups_path());
    if (!sqlite::has_table(*connection, "rollup")) return std::vector<Rollup>{};
    return RollupReader(*connection).read(tag, resolution, from, to, limit);
  });
}

}  // namespace rltune::historian
