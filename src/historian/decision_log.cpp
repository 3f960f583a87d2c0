#include "rltune/historian/decision_log.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <format>
#include <mutex>
#include <ranges>
#include <thread>
#include <unordered_map>

#include "decision_codec.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/log.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "rltune/vault/vault.hpp"

namespace rltune::historian {
namespace {

using sqlite::guarded;
using sqlite::to_nanoseconds;
using sqlite::to_time;

constexpr std::size_t kGroupMax = 1000;
// The disk is tried again after a while: a queue of bounded size waits meanwhile.
constexpr Breaker::Policy kRetry{
    .failures_max = 1, .wait_first = std::chrono::milliseconds(250), .wait_max = std::chrono::milliseconds(500)};
constexpr auto kFlushTimeout = std::chrono::seconds(30);
constexpr std::string_view kPrefix = "decisions-";
constexpr std::string_view kSuffix = ".db";

using Day = std::chrono::sys_days;

Day day_of(TimePoint time) { return std::chrono::floor<std::chrono::days>(time); }

// decisions-2026-01-02.db, and decisions-2026-01-02.2.db where a day had to continue in another file.
struct LogFile {
  Day day{};
  int part = 1;
  std::filesystem::path path;
  auto operator<=>(const LogFile& other) const { return std::tie(day, part) <=> std::tie(other.day, other.part); }
  bool operator==(const LogFile& other) const { return day == other.day && part == other.part; }
};

LogFile make_file(const std::filesystem::path& folder, Day day, int part) {
  const std::string date = format_rfc3339(day).substr(0, 10);
  return {day, part,
          folder / (part == 1 ? std::format("{}{}{}", kPrefix, date, kSuffix)
                              : std::format("{}{}.{}{}", kPrefix, date, part, kSuffix))};
}

std::optional<LogFile> parse_file(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() < kPrefix.size() + 10 + kSuffix.size())
    return std::nullopt;
  const auto time = parse_rfc3339(std::string_view(name).substr(kPrefix.size(), 10));
  if (!time) return std::nullopt;
  LogFile file{day_of(*time), 1, path};
  std::string_view rest = std::string_view(name).substr(kPrefix.size() + 10);
  rest.remove_suffix(kSuffix.size());
  if (rest.empty()) return file;
  const auto [end, code] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), file.part);
  if (rest[0] != '.' || code != std::errc{} || end != rest.data() + rest.size() || file.part < 2) return std::nullopt;
  return file;
}

// Ascending.
Result<std::vector<LogFile>> list_files(const std::filesystem::path& folder) {
  std::error_code code;
  std::vector<LogFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code))
    if (auto file = parse_file(entry.path())) files.push_back(std::move(*file));
  if (code)
    return fail(Errc::not_found, std::format("{}: no decisions can be read here: {}", folder.string(), code.message()));
  std::ranges::sort(files);
  return files;
}

bool is_uuid(const std::string& id) {
  if (id.size() != 36) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (id[i] == '-') || (!dash && std::string_view("0123456789abcdef").find(id[i]) == std::string_view::npos))
      return false;
  }
  return true;
}

// 16 bytes for a UUID in its usual writing; any other id stands as text.
std::string packed_uuid(const std::string& id) {
  std::string digits, bytes;
  for (const char c : id)
    if (c != '-') digits += c;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

std::string unpacked_uuid(std::string_view bytes) {
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += std::format("{:02x}", static_cast<std::uint8_t>(bytes[i]));
  }
  return id;
}

void bind_id(SQLite::Statement& statement, int index, const std::string& id) {
  if (!is_uuid(id)) return statement.bind(index, id);
  const std::string bytes = packed_uuid(id);
  statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

std::string column_id(const SQLite::Column& column) {
  return column.isBlob() && column.getBytes() == 16 ? unpacked_uuid(column.getString()) : column.getString();
}

constexpr const char* kSchema = R"(
  CREATE TABLE IF NOT EXISTS name(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS decision(
    seq INTEGER PRIMARY KEY, id ANY NOT NULL UNIQUE, time INTEGER NOT NULL, wall_time INTEGER NOT NULL,
    agent INTEGER NOT NULL, policy INTEGER NOT NULL, origin INTEGER NOT NULL, mode INTEGER NOT NULL,
    body BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS decision_time ON decision(time, seq);
)";

// Who wrote by hand, and why: on disk as the site's vault keeps it, and bound to its decision.
template <typename Change>
void change_words(Decision& decision, Change change) {
  decision.user = change(decision.user, vault::Place{"decision", "user", decision.id});
  decision.reason = change(decision.reason, vault::Place{"decision", "reason", decision.id});
}

// One open file and what is prepared on it. Throws SQLite::Exception.
class DayWriter {
 public:
  DayWriter(LogFile file, std::uint64_t wal_bytes_max, const vault::Vault& vault)
      : file_(std::move(file)),
        database_(sqlite::open_writer(file_.path, wal_bytes_max)),
        prepared_(*database_),
        vault_(vault) {}

  const LogFile& file() const { return file_; }
  const SQLite::Database& database() const { return *database_; }

  void commit(std::span<const Decision> decisions) {
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    for (const Decision& decision : decisions) insert(decision);
    transaction.commit();
  }

  // False when the log cannot be kept small because a reader holds an old state.
  bool keep_wal_small(std::uint64_t bytes_max) {
    return sqlite::wal_bytes(file_.path) <= bytes_max || sqlite::restart_wal(*database_);
  }

 private:
  struct Prepared {
    explicit Prepared(SQLite::Database& database)
        : created((sqlite::create_tables(database, kSchema, kDecisionLogFormat), true)),
          insert(database,
                 "INSERT OR IGNORE INTO decision(id, time, wall_time, agent, policy, origin, mode, body) "
                 "VALUES(?,?,?,?,?,?,?,?)"),
          add_name(database, "INSERT OR IGNORE INTO name(text) VALUES(?)"),
          find_name(database, "SELECT number FROM name WHERE text = ?") {}
    bool created;
    SQLite::Statement insert, add_name, find_name;
  };

  void insert(const Decision& decision) {
    if (decision.user.empty() && decision.reason.empty()) return store(decision);
    Decision kept = decision;
    change_words(kept, [this](const auto& words, const auto& place) { return vault_.put(words, place); });
    store(kept);
  }

  void store(const Decision& decision) {
    const std::string body = encode_body(decision, [this](const std::string& name) { return number_of(name); });
    SQLite::Statement& statement = prepared_.insert;
    bind_id(statement, 1, decision.id);
    statement.bind(2, to_nanoseconds(decision.time));
    statement.bind(3, to_nanoseconds(decision.wall_time));
    statement.bind(4, number_of(decision.agent));
    statement.bind(5, number_of(decision.policy_sha256));
    statement.bind(6, number_of(decision.origin));
    statement.bind(7, static_cast<std::int32_t>(decision.mode));
    statement.bind(8, body.data(), static_cast<int>(body.size()));
    statement.exec();
    statement.reset();
  }

  std::uint32_t number_of(const std::string& name) {
    if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
    prepared_.add_name.bind(1, name);
    prepared_.add_name.exec();
    prepared_.add_name.reset();
    prepared_.find_name.bind(1, name);
    prepared_.find_name.executeStep();
    const std::uint32_t number = prepared_.find_name.getColumn(0).getUInt();
    prepared_.find_name.reset();
    return numbers_[name] = number;
  }

  LogFile file_;
  sqlite::Connection database_;
  Prepared prepared_;
  const vault::Vault& vault_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// One open file for reading. Throws SQLite::Exception.
class DayReader {
 public:
  explicit DayReader(const LogFile& file)
      : file_(file),
        database_(sqlite::open_reader(file.path)),
        empty_(!sqlite::has_table(*database_, "decision")),
        vault_(vault::Vault::beside(file.path.parent_path())) {}

  struct Place {
    std::int64_t time = 0;
    std::int64_t seq = 0;
  };
  std::optional<Place> find(const std::string& id) {
    if (empty_) return std::nullopt;
    SQLite::Statement statement(*database_, "SELECT time, seq FROM decision WHERE id = ?");
    bind_id(statement, 1, id);
    if (!statement.executeStep()) return std::nullopt;
    return Place{statement.getColumn(0).getInt64(), statement.getColumn(1).getInt64()};
  }

  Result<Decision> read(const std::string& id) {
    if (empty_) return fail(Errc::not_found, std::format("no decision '{}'", id));
    SQLite::Statement statement(*database_, std::format("{}WHERE id = ?", kSelect));
    bind_id(statement, 1, id);
    if (!statement.executeStep()) return fail(Errc::not_found, std::format("no decision '{}'", id));
    return decode(statement);
  }

  // In [from, to) and beyond `after`.
  Result<std::vector<Decision>> read(std::int64_t from, std::int64_t to, const Place& after, std::size_t limit) {
    if (empty_) return std::vector<Decision>{};
    SQLite::Statement statement(
        *database_,
        std::format("{}WHERE time >= ?1 AND time < ?2 AND (time, seq) > (?3, ?4) ORDER BY time, seq LIMIT ?5",
                    kSelect));
    statement.bind(1, std::max(from, after.time));
    statement.bind(2, to);
    statement.bind(3, after.time);
    statement.bind(4, after.seq);
    statement.bind(5, static_cast<std::int64_t>(limit));
    std::vector<Decision> decisions;
    while (statement.executeStep()) {
      auto decision = decode(statement);
      if (!decision) return std::unexpected(decision.error());
      decisions.push_back(std::move(*decision));
    }
    return decisions;
  }

  // The last `limit` made after `wall_time`, newest first, without those that are damaged. What was written later was
  // made later.
  void newest(std::int64_t wall_time, std::size_t limit, std::vector<Decision>& decisions) {
    if (empty_) return;
    SQLite::Statement statement(*database_, std::format("{}ORDER BY seq DESC LIMIT ?", kSelect));
    statement.bind(1, static_cast<std::int64_t>(limit));
    while (statement.executeStep() && statement.getColumn(2).getInt64() > wall_time) {
      auto decision = decode(statement);
      if (decision)
        decisions.push_back(std::move(*decision));
      else
        tell_left_out(file_.path, decision.error());
    }
  }

  static void tell_left_out(const std::filesystem::path& file, const Error& error) {
    tell_damage({.file = file, .kept = {}, .why = error.message, .now = "what cannot be read is left out"});
  }

  struct Extent {
    std::int64_t first_wall = 0, last_wall = 0, count = 0;
  };
  Extent extent() {
    if (empty_) return {};
    SQLite::Statement statement(*database_, "SELECT min(wall_time), max(wall_time), count(*) FROM decision");
    if (!statement.executeStep()) return {};
    return {statement.getColumn(0).getInt64(), statement.getColumn(1).getInt64(), statement.getColumn(2).getInt64()};
  }

 private:
  static constexpr std::string_view kSelect =
      "SELECT id, time, wall_time, agent, policy, origin, mode, body FROM decision ";

  std::optional<std::string> name_of(std::uint32_t number) {
    if (const auto known = names_.find(number); known != names_.end()) return known->second;
    SQLite::Statement statement(*database_, "SELECT text FROM name WHERE number = ?");
    statement.bind(1, number);
    if (!statement.executeStep()) return std::nullopt;
    return names_[number] = statement.getColumn(0).getString();
  }

  Result<Decision> decode(SQLite::Statement& row) {
    Decision decision;
    decision.id = column_id(row.getColumn(0));
    const auto damaged = [&](const std::string& reason) {
      return fail(Errc::corrupt, std::format("{}: decision {}: {}", file_.path.string(), decision.id, reason));
    };
    decision.time = to_time(row.getColumn(1).getInt64());
    decision.wall_time = to_time(row.getColumn(2).getInt64());
    for (const auto& [column, text] :
         {std::pair{3, &decision.agent}, std::pair{4, &decision.policy_sha256}, std::pair{5, &decision.origin}}) {
      auto name = name_of(row.getColumn(column).getUInt());
      if (!name) return damaged("a name is missing");
      *text = std::move(*name);
    }
    decision.mode = static_cast<std::uint8_t>(row.getColumn(6).getInt());
    const SQLite::Column body = row.getColumn(7);
    const std::string_view bytes(static_cast<const char*>(body.getBlob()), static_cast<std::size_t>(body.getBytes()));
    if (auto decoded = decode_body(bytes, [this](std::uint32_t number) { return name_of(number); }, decision); !decoded)
      return damaged(decoded.error().message);
    if (!decision.user.empty() || !decision.reason.empty())
      change_words(decision, [this](const auto& words, const auto& place) { return vault_.show(words, place); });
    return decision;
  }

  LogFile file_;
  sqlite::Connection database_;
  bool empty_;  // no tables yet
  vault::Vault vault_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace

struct DecisionLog::State {
  std::filesystem::path folder;
  DecisionLogOptions options;
  vault::Vault vault;

  mutable std::mutex mutex;
  std::condition_variable work, done;
  std::deque<Decision> queue;
  std::uint64_t appended = 0, committed = 0;
  Breaker breaker{kRetry};  // before the disk
  std::uint64_t removed = 0;
  std::size_t in_hand = 0;  // taken from the queue and not yet committed
  Error last_error;
  TimePoint trouble_since{};
  bool trouble = false, stopping = false;

  // The writer thread's alone.
  std::unique_ptr<DayWriter> writer;
  std::optional<KeepingWatch> keeping;
  std::thread thread;

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    if (thread.joinable()) thread.join();
  }

  void run() {
    std::vector<Decision> group;
    std::unique_lock lock(mutex);
    while (true) {
      const auto anything = [&] { return stopping || !queue.empty() || !group.empty(); };
      if (!keeping->on()) work.wait(lock, anything);
      if (keeping->on() && !work.wait_for(lock, keeping->every(), anything)) {
        remove_old(lock);
        continue;
      }
      if (group.empty() && queue.empty()) return;
      while (!queue.empty() && group.size() < kGroupMax) {
        group.push_back(std::move(queue.front()));
        queue.pop_front();
      }
      in_hand = group.size();
      breaker.allows(WallClock().steady());
      lock.unlock();
      const std::size_t done_count = commit(group);
      group.erase(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(done_count));
      lock.lock();
      committed += done_count;
      in_hand = group.size();
      remove_old(lock);
      if (group.empty()) {
        trouble = false;
        breaker.succeeded();
        done.notify_all();
        continue;
      }
      const Duration now = WallClock().steady();
      breaker.failed(now);
      done.notify_all();
      if (stopping) return report_loss(group.size() + queue.size());
      work.wait_for(lock, breaker.try_at() - now, [&] { return stopping; });
    }
  }

  void remove_old(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const WallClock clock;
    std::uint64_t files = 0;
    if (const auto age = keeping->due(clock.steady())) {
      const auto gone =
          remove_decisions(folder, clock.now() - *age, writer ? writer->file().path : std::filesystem::path());
      if (!gone) log::error("old decisions cannot be removed", {{"reason", gone.error().message}});
      files = gone.value_or(0);
      if (files > 0)
        log::info("retention removed old decisions",
                  {{"files", std::to_string(files)}, {"older_than_days", std::format("{:.4g}", to_days(*age))}});
    }
    lock.lock();
    removed += files;
  }
  static double to_days(Duration age) { return to_seconds(age) / 86'400.0; }

  // How many of the group are on disk now: all of them, or those before the day that failed.
  std::size_t commit(std::span<const Decision> group) {
    std::size_t count = 0;
    while (count < group.size()) {
      const Day day = day_of(group[count].time);
      std::size_t end = count;
      while (end < group.size() && day_of(group[end].time) == day) ++end;
      if (auto committed_day = commit_day(day, group.subspan(count, end - count)); !committed_day) {
        note_trouble(committed_day.error());
        return count;
      }
      count = end;
    }
    return count;
  }

  Result<> commit_day(Day day, std::span<const Decision> decisions) {
    try {
      open_day(day);
      writer->commit(decisions);
      if (!writer->keep_wal_small(options.wal_bytes_max))
        writer =
            std::make_unique<DayWriter>(make_file(folder, day, writer->file().part + 1), options.wal_bytes_max, vault);
      return {};
    } catch (const SQLite::Exception& exception) {
      // A connection that failed half-way is not trusted again.
      Error error = writer ? sqlite::to_error(exception, writer->file().path, writer->database())
                           : sqlite::to_error(exception, make_file(folder, day, 1).path);
      writer.reset();
      return std::unexpected(std::move(error));
    }
  }

  void open_day(Day day) {
    if (writer && writer->file().day == day) return;
    writer.reset();
    LogFile newest = make_file(folder, day, 1);
    if (const auto files = list_files(folder))
      for (const LogFile& file : *files)
        if (file.day == day && file.part > newest.part) newest = file;
    if (std::filesystem::exists(newest.path)) keep_sound(newest.path);
    writer = std::make_unique<DayWriter>(std::move(newest), options.wal_bytes_max, vault);
  }

  // A damaged day would take no decision more, and hide those of the other days from whoever reads.
  static void keep_sound(const std::filesystem::path& path) {
    const auto found =
        guarded(path, [&] { return sqlite::damage_of(*sqlite::open_reader(path), sqlite::Scrutiny::quick); });
    if (!found && found.error().code != Errc::corrupt) return;
    const std::string why = found ? *found : found.error().message;
    if (!why.empty()) [[maybe_unused]]
      const auto aside = put_aside(path, why, "its decisions are missing; the day goes on in a new file");
  }

  void note_trouble(const Error& error) {
    const std::lock_guard lock(mutex);
    last_error = error;
    if (trouble) return;
    trouble = true;
    trouble_since = std::chrono::system_clock::now();
    log::error("decisions cannot be stored and wait in memory", {{"reason", error.message}});
  }

  void report_loss(std::size_t count) const {
    log::critical("decisions were lost at stop", {{"count", std::to_string(count)}, {"reason", last_error.message}});
  }
};

Result<DecisionLog> DecisionLog::open(const std::filesystem::path& folder, const DecisionLogOptions& options) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->options = options;
  state->keeping.emplace(options.keeping);
  state->vault = vault::Vault::beside(folder);
  state->thread = std::thread([raw = state.get()] { raw->run(); });
  return DecisionLog(std::move(state));
}

DecisionLog::DecisionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
DecisionLog::~DecisionLog() = default;
DecisionLog::DecisionLog(DecisionLog&&) noexcept = default;
DecisionLog& DecisionLog::operator=(DecisionLog&&) noexcept = default;

bool DecisionLog::append(Decision decision) noexcept {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (state.queue.size() + state.in_hand >= state.options.queue_max) return false;
    state.queue.push_back(std::move(decision));
    ++state.appended;
  }
  state.work.notify_one();
  return true;
}

Result<> DecisionLog::flush() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::uint64_t target = state.appended, failed_before = state.breaker.failures();
  // Two failures: the first may be of an attempt that began before this call.
  const bool settled = state.done.wait_for(
      lock, kFlushTimeout, [&] { return state.committed >= target || state.breaker.failures() >= failed_before + 2; });
  if (state.committed >= target) return {};
  if (settled) return std::unexpected(state.last_error);
  return fail(Errc::timeout, std::format("{}: decisions were not on disk after 30 s", state.folder.string()));
}

DecisionLogStatus DecisionLog::status() const {
  const State& state = *state_;
  const std::lock_guard lock(state.mutex);
  DecisionLogStatus status{
      state.committed, state.queue.size() + state.in_hand, {}, state.breaker.figures(), state.removed};
  if (state.trouble)
    status.trouble = std::format(
        "{} since {}: {}", state.last_error.code == Errc::no_space ? "disk full" : to_string(state.last_error.code),
        format_rfc3339(std::chrono::floor<std::chrono::seconds>(state.trouble_since)), state.last_error.message);
  return status;
}

namespace {

// A file's time stamp may lag behind the clock.
constexpr Duration kMtimeMargin = std::chrono::seconds(2);

TimePoint last_written(const std::filesystem::path& path) {
  TimePoint newest = TimePoint::min();
  for (const char* suffix : {"", "-wal"}) {
    std::error_code code;
    const auto time = std::filesystem::last_write_time(path.string() + suffix, code);
    if (!code) newest = std::max(newest, std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(time)));
  }
  return newest == TimePoint::min() ? TimePoint::max() - kMtimeMargin : newest;
}

// When a file's last record was written: an empty log beside it is a reader's.
TimePoint last_record(const std::filesystem::path& path) {
  std::error_code code;
  return sqlite::wal_bytes(path) > 0 ? last_written(path)
                                     : std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(
                                           std::filesystem::last_write_time(path, code)));
}

// Runs `work` on each file in turn until it returns a value; errors of SQLite name the file.
template <typename Work>
Result<> for_each_file(const std::vector<LogFile>& files, Work work) {
  for (const LogFile& file : files) {
    auto done = guarded(file.path, [&]() -> Result<bool> {
      DayReader reader(file);
      return work(file, reader);
    });
    if (!done) return std::unexpected(done.error());
    if (!*done) return std::unexpected(done->error());
    if (**done) break;
  }
  return {};
}

}  // namespace

Result<Decision> find_decision(const std::filesystem::path& folder, const std::string& id) {
  auto files = list_files(folder);
  if (!files) return std::unexpected(files.error());
  std::ranges::reverse(*files);  // people ask about the last days
  std::optional<Decision> found;
  auto searched = for_each_file(*files, [&](const LogFile&, DayReader& reader) -> Result<bool> {
    auto decision = reader.read(id);
    if (!decision && decision.error().code == Errc::not_found) return false;
    if (!decision) return std::unexpected(decision.error());
    found = std::move(*decision);
    return true;
  });
  if (!searched) return std::unexpected(searched.error());
  if (!found) return fail(Errc::not_found, std::format("{}: no decision '{}'", folder.string(), id));
  return std::move(*found);
}

Result<std::vector<Decision>> read_decisions(const std::filesystem::path& folder, TimePoint from, TimePoint to,
                                             std::size_t limit, const std::string& after_id) {
  auto files = list_files(folder);
  if (!files) return std::unexpected(files.error());
  std::erase_if(*files, [&](const LogFile& file) { return file.day + std::chrono::days(1) <= from || file.day >= to; });
  LogFile after_file;
  DayReader::Place after{std::numeric_limits<std::int64_t>::min(), 0};
  if (!after_id.empty()) {
    bool known = false;
    auto searched = for_each_file(*files, [&](const LogFile& file, DayReader& reader) -> Result<bool> {
      const auto place = reader.find(after_id);
      if (!place) return false;
      after_file = file;
      after = *place;
      return known = true;
    });
    if (!searched) return std::unexpected(searched.error());
    if (!known)
      return fail(Errc::not_found, std::format("{}: no decision '{}' in this range", folder.string(), after_id));
    std::erase_if(*files, [&](const LogFile& file) { return file < after_file; });
  }

  std::vector<Decision> decisions;
  auto read = for_each_file(*files, [&](const LogFile& file, DayReader& reader) -> Result<bool> {
    const bool resumed = !after_id.empty() && file == after_file;
    auto page = reader.read(to_nanoseconds(from), to_nanoseconds(to),
                            resumed ? after : DayReader::Place{std::numeric_limits<std::int64_t>::min(), 0},
                            limit - decisions.size());
    if (!page) return std::unexpected(page.error());
    std::ranges::move(*page, std::back_inserter(decisions));
    return decisions.size() >= limit;
  });
  if (!read) return std::unexpected(read.error());
  return decisions;
}

Result<std::vector<Decision>> newest_decisions(const std::filesystem::path& folder, TimePoint wall_time,
                                               std::size_t limit) {
  auto files = list_files(folder);
  if (!files) return std::unexpected(files.error());
  // Days of a plant's own clock come in any order; what was not written since can be left closed.
  std::erase_if(*files, [&](const LogFile& file) { return last_written(file.path) + kMtimeMargin < wall_time; });
  std::vector<Decision> decisions;
  for (const LogFile& file : *files) {
    std::vector<Decision> page;
    const auto read = guarded(file.path, [&] { DayReader(file).newest(to_nanoseconds(wall_time), limit, page); });
    if (!read && read.error().code != Errc::corrupt) return std::unexpected(read.error());
    if (!read) DayReader::tell_left_out(file.path, read.error());
    std::ranges::move(page | std::views::reverse, std::back_inserter(decisions));
  }
  std::ranges::stable_sort(decisions, {}, &Decision::wall_time);
  if (decisions.size() > limit)
    decisions.erase(decisions.begin(), decisions.end() - static_cast<std::ptrdiff_t>(limit));
  return decisions;
}

Result<std::uint64_t> remove_decisions(const std::filesystem::path& folder, TimePoint before,
                                       const std::filesystem::path& but) {
  auto files = list_files(folder);
  if (!files) return std::unexpected(files.error());
  if (!files->empty()) files->pop_back();
  std::uint64_t removed = 0;
  for (const LogFile& file : *files) {
    if (file.path == but || last_record(file.path) >= before) continue;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::error_code code;
      std::filesystem::remove(file.path.string() + suffix, code);
      if (code) return fail(Errc::io, std::format("cannot remove {}: {}", file.path.string(), code.message()));
    }
    ++removed;
  }
  return removed;
}

Result<DecisionStorage> decision_storage(const std::filesystem::path& folder) {
  const auto files = list_files(folder);
  if (!files) return std::unexpected(files.error());
  DecisionStorage storage;
  storage.files = files->size();
  for (const LogFile& file : *files) storage.bytes += sqlite::file_bytes(file.path);
  if (files->empty()) return storage;
  // A day on a simulated clock may pass in seconds: what counts is how fast wall time fills files.
  const LogFile& last = files->back();
  auto rate = guarded(last.path, [&] {
    const DayReader::Extent extent = DayReader(last).extent();
    const double seconds = to_seconds(Duration(extent.last_wall - extent.first_wall));
    if (extent.count < 2 || seconds <= 0.0) return 0.0;
    return static_cast<double>(sqlite::file_bytes(last.path)) / seconds * 86'400.0;
  });
  if (!rate) return std::unexpected(rate.error());
  storage.bytes_per_day = *rate;
  return storage;
}

}  // namespace rltune::historian
