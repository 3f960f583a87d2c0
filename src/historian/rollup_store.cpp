#include "rollup_store.hpp"

#include <cmath>
#include <set>

namespace rltune::historian {
namespace {

using sqlite::to_nanoseconds;
using sqlite::to_time;

constexpr const char* kSchema = R"(
  CREATE TABLE IF NOT EXISTS tag(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS rollup(
    resolution INTEGER NOT NULL, tag INTEGER NOT NULL, start INTEGER NOT NULL, minimum REAL, maximum REAL, mean REAL,
    last REAL, count INTEGER NOT NULL, bad INTEGER NOT NULL, PRIMARY KEY(resolution, tag, start)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS removed(
    id INTEGER PRIMARY KEY CHECK(id = 1), rolled_up_until INTEGER NOT NULL, samples INTEGER NOT NULL) STRICT;
)";

constexpr std::size_t kAll = std::numeric_limits<std::int64_t>::max();

std::int64_t start_of(Resolution resolution, std::int64_t time) {
  const std::int64_t length = length_of(resolution).count();
  const std::int64_t rest = time % length;
  return time - (rest < 0 ? rest + length : rest);
}

}  // namespace

Duration length_of(Resolution resolution) {
  switch (resolution) {
    case Resolution::raw:
      return Duration(0);
    case Resolution::minute:
      return std::chrono::minutes(1);
    case Resolution::five_minutes:
      return std::chrono::minutes(5);
    case Resolution::hour:
      return std::chrono::hours(1);
  }
  return Duration(0);
}

Rollup roll_up(TimePoint start, std::span<const Sample> samples) {
  Rollup rollup{.start = start};
  double sum = 0.0;
  for (const Sample& sample : samples) {
    if (sample.quality != Quality::good || std::isnan(sample.value)) {
      ++rollup.bad;
      continue;
    }
    rollup.minimum = rollup.count == 0 ? sample.value : std::min(rollup.minimum, sample.value);
    rollup.maximum = rollup.count == 0 ? sample.value : std::max(rollup.maximum, sample.value);
    rollup.last = sample.value;
    sum += sample.value;
    ++rollup.count;
  }
  if (rollup.count > 0) rollup.mean = sum / static_cast<double>(rollup.count);
  return rollup;
}

Rollup roll_up(TimePoint start, std::span<const Rollup> parts) {
  Rollup rollup{.start = start};
  double sum = 0.0;
  for (const Rollup& part : parts) {
    rollup.bad += part.bad;
    if (part.count == 0) continue;
    rollup.minimum = rollup.count == 0 ? part.minimum : std::min(rollup.minimum, part.minimum);
    rollup.maximum = rollup.count == 0 ? part.maximum : std::max(rollup.maximum, part.maximum);
    rollup.last = part.last;
    sum += part.mean * static_cast<double>(part.count);
    rollup.count += part.count;
  }
  if (rollup.count > 0) rollup.mean = sum / static_cast<double>(rollup.count);
  return rollup;
}

RollupStore::RollupStore(const std::filesystem::path& file, std::uint64_t wal_bytes_max)
    : database_(sqlite::open_writer(file, wal_bytes_max, true)) {
  sqlite::create_tables(*database_, kSchema, kHistorianFormat);
  put_ = std::make_unique<SQLite::Statement>(*database_, "INSERT OR REPLACE INTO rollup VALUES(?,?,?,?,?,?,?,?,?)");
}

std::int64_t RollupStore::tag_number(const std::string& tag) {
  SQLite::Statement add(*database_, "INSERT OR IGNORE INTO tag(name) VALUES(?)");
  add.bind(1, tag);
  add.exec();
  SQLite::Statement find(*database_, "SELECT number FROM tag WHERE name = ?");
  find.bind(1, tag);
  find.executeStep();
  return find.getColumn(0).getInt64();
}

void RollupStore::put(std::int64_t tag, Resolution resolution, const Rollup& rollup) {
  SQLite::Statement& statement = *put_;
  statement.clearBindings();
  statement.bind(1, static_cast<std::int32_t>(resolution));
  statement.bind(2, tag);
  statement.bind(3, to_nanoseconds(rollup.start));
  if (rollup.count > 0) {
    statement.bind(4, rollup.minimum);
    statement.bind(5, rollup.maximum);
    statement.bind(6, rollup.mean);
    statement.bind(7, rollup.last);
  }
  statement.bind(8, static_cast<std::int64_t>(rollup.count));
  statement.bind(9, static_cast<std::int64_t>(rollup.bad));
  statement.exec();
  statement.reset();
}

void RollupStore::store(const std::map<DirtyMinute, Rollup>& minutes) {
  SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
  std::map<std::string, std::int64_t> numbers;
  std::set<DirtyMinute> changed;
  for (const auto& [minute, rollup] : minutes) {
    const auto known = numbers.find(minute.tag);
    const std::int64_t tag = known != numbers.end() ? known->second : numbers[minute.tag] = tag_number(minute.tag);
    put(tag, Resolution::minute, rollup);
    changed.insert({minute.tag, start_of(Resolution::five_minutes, minute.start)});
  }
  RollupReader reader(*database_);
  for (const auto& [finer, coarser] : {std::pair{Resolution::minute, Resolution::five_minutes},
                                       std::pair{Resolution::five_minutes, Resolution::hour}}) {
    std::set<DirtyMinute> next;
    for (const DirtyMinute& bucket : changed) {
      const TimePoint start = to_time(bucket.start);
      const auto parts = reader.read(bucket.tag, finer, start, start + length_of(coarser), kAll);
      put(numbers[bucket.tag], coarser, roll_up(start, parts));
      next.insert({bucket.tag, start_of(Resolution::hour, bucket.start)});
    }
    changed = std::move(next);
  }
  transaction.commit();
}

void RollupStore::remove_before(Resolution resolution, TimePoint cutoff) {
  SQLite::Statement statement(
      *database_, "DELETE FROM rollup WHERE resolution = ? AND tag IN (SELECT number FROM tag) AND start < ?");
  statement.bind(1, static_cast<std::int32_t>(resolution));
  statement.bind(2, to_nanoseconds(cutoff));
  statement.exec();
}

bool RollupStore::remove_oldest(Resolution resolution) {
  SQLite::Statement extent(*database_, "SELECT min(start), max(start) FROM rollup WHERE resolution = ?");
  extent.bind(1, static_cast<std::int32_t>(resolution));
  if (!extent.executeStep() || extent.isColumnNull(0)) return false;
  const std::int64_t first = extent.getColumn(0).getInt64(), last = extent.getColumn(1).getInt64();
  extent.reset();
  remove_before(resolution, to_time(first + (last - first) / 10 + 1));
  return true;
}

void RollupStore::shrink() { database_->exec("PRAGMA incremental_vacuum"); }

std::int64_t RollupStore::rolled_up_until() {
  SQLite::Statement statement(*database_, "SELECT rolled_up_until FROM removed");
  return statement.executeStep() ? statement.getColumn(0).getInt64() : std::numeric_limits<std::int64_t>::min();
}

std::int64_t RollupStore::samples_removed() {
  SQLite::Statement statement(*database_, "SELECT samples FROM removed");
  return statement.executeStep() ? statement.getColumn(0).getInt64() : 0;
}

void RollupStore::set_removed(std::int64_t rolled_up_until, std::int64_t samples_removed) {
  SQLite::Statement statement(*database_, "INSERT OR REPLACE INTO removed VALUES(1, ?, ?)");
  statement.bind(1, rolled_up_until);
  statement.bind(2, samples_removed);
  statement.exec();
}

RollupReader::RollupReader(SQLite::Database& database)
    : select_(database,
              "SELECT start, minimum, maximum, mean, last, count, bad FROM rollup WHERE resolution = ? "
              "AND tag = (SELECT number FROM tag WHERE name = ?) AND start >= ? AND start < ? ORDER BY start LIMIT ?") {
}

std::vector<Rollup> RollupReader::read(const std::string& tag, Resolution resolution, TimePoint from, TimePoint to,
                                       std::size_t limit) {
  SQLite::Statement& statement = select_;
  statement.bind(1, static_cast<std::int32_t>(resolution));
  statement.bind(2, tag);
  statement.bind(3, to_nanoseconds(from));
  statement.bind(4, to_nanoseconds(to));
  statement.bind(5, static_cast<std::int64_t>(limit));
  std::vector<Rollup> rollups;
  while (statement.executeStep()) {
    Rollup& rollup = rollups.emplace_back();
    rollup.start = to_time(statement.getColumn(0).getInt64());
    rollup.minimum = statement.getColumn(1).getDouble();
    rollup.maximum = statement.getColumn(2).getDouble();
    rollup.mean = statement.getColumn(3).getDouble();
    rollup.last = statement.getColumn(4).getDouble();
    rollup.count = static_cast<std::uint64_t>(statement.getColumn(5).getInt64());
    rollup.bad = static_cast<std::uint64_t>(statement.getColumn(6).getInt64());
  }
  statement.reset();
  return rollups;
}

std::vector<std::string> rollup_tags(SQLite::Database& database) {
  std::vector<std::string> names;
  if (!sqlite::has_table(database, "tag")) return names;
  SQLite::Statement statement(database, "SELECT name FROM tag ORDER BY number");
  while (statement.executeStep()) names.push_back(statement.getColumn(0).getString());
  return names;
}

}  // namespace rltune::historian
