#include "raw_segment.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <format>

#include "rltune/historian/historian.hpp"

namespace rltune::historian {
namespace {

using sqlite::guarded;
using sqlite::to_nanoseconds;
using sqlite::to_time;

constexpr std::string_view kPrefix = "raw-";
constexpr std::string_view kSuffix = ".db";

constexpr const char* kSchema = R"(
  CREATE TABLE IF NOT EXISTS tag(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS sample(
    tag INTEGER NOT NULL, time INTEGER NOT NULL, element INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL,
    status INTEGER NOT NULL, delay INTEGER NOT NULL, PRIMARY KEY(tag, time, element)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dirty(tag INTEGER NOT NULL, minute INTEGER NOT NULL, PRIMARY KEY(tag, minute)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS about(
    id INTEGER PRIMARY KEY CHECK(id = 1), samples INTEGER, first_time INTEGER, last_time INTEGER, oldest INTEGER,
    newest INTEGER, first_received INTEGER, last_received INTEGER) STRICT;
)";
constexpr const char* kSelectAbout =
    "SELECT samples, first_time, last_time, oldest, newest, first_received, last_received FROM about WHERE id = 1";

std::int64_t minute_of(const Sample& sample) {
  return to_nanoseconds(std::chrono::floor<std::chrono::minutes>(sample.source_time));
}

void include(SegmentInfo& info, const Sample& sample) {
  const std::int64_t time = to_nanoseconds(sample.source_time), received = to_nanoseconds(sample.received_time);
  ++info.samples;
  info.first_time = std::min(info.first_time, time);
  info.last_time = std::max(info.last_time, time);
  info.oldest = std::min(info.oldest, effective_time(sample));
  info.newest = std::max(info.newest, effective_time(sample));
  info.first_received = std::min(info.first_received, received);
  info.last_received = std::max(info.last_received, received);
}

void read_about(SQLite::Database& database, SegmentInfo& info) {
  SQLite::Statement row(database, kSelectAbout);
  if (!row.executeStep()) return;
  int column = 0;
  for (std::int64_t* field : {&info.samples, &info.first_time, &info.last_time, &info.oldest, &info.newest,
                              &info.first_received, &info.last_received})
    *field = row.getColumn(column++).getInt64();
}

std::optional<int> segment_number(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits =
      std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  int number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size() || number < 1) return std::nullopt;
  return number;
}

}  // namespace

std::filesystem::path segment_path(const std::filesystem::path& folder, int number) {
  return folder / std::format("{}{:08}{}", kPrefix, number, kSuffix);
}

std::vector<SegmentInfo> list_segments(const std::filesystem::path& folder, std::vector<DamagedSegment>& damaged) {
  std::vector<SegmentInfo> segments;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    const auto number = segment_number(entry.path());
    if (!number) continue;
    auto info = guarded(entry.path(), [&] { return SegmentReader(entry.path()).info(*number); });
    if (info)
      segments.push_back(std::move(*info));
    else if (std::filesystem::exists(entry.path()))
      damaged.push_back({entry.path(), info.error()});
  }
  std::ranges::sort(segments, {}, &SegmentInfo::number);
  return segments;
}

struct SegmentWriter::Prepared {
  explicit Prepared(SQLite::Database& database)
      : insert(
            database,
            "INSERT OR REPLACE INTO sample(tag, time, element, value, quality, status, delay) VALUES(?,?,?,?,?,?,?)"),
        mark(database, "INSERT OR IGNORE INTO dirty(tag, minute) VALUES(?, ?)"),
        store_info(database,
                   "INSERT OR REPLACE INTO about(id, samples, first_time, last_time, oldest, newest, first_received, "
                   "last_received) VALUES(1,?,?,?,?,?,?,?)"),
        add_tag(database, "INSERT OR IGNORE INTO tag(name) VALUES(?)"),
        find_tag(database, "SELECT number FROM tag WHERE name = ?") {}
  SQLite::Statement insert, mark, store_info, add_tag, find_tag;
};

SegmentWriter::SegmentWriter(SegmentInfo info, std::uint64_t wal_bytes_max)
    : info_(std::move(info)), database_(sqlite::open_writer(info_.path, wal_bytes_max)) {
  sqlite::create_tables(*database_, kSchema, kHistorianFormat);
  read_about(*database_, info_);
  prepared_ = std::make_shared<Prepared>(*database_);
}

void SegmentWriter::commit(std::span<const Sample> samples, std::span<const std::string> tags,
                           std::int64_t rolled_up_until) {
  SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
  SegmentInfo after = info_;
  for (const Sample& sample : samples) {
    const std::int64_t tag = tag_number(tags[sample.tag]);
    insert(sample, tag);
    mark(sample, tag, rolled_up_until);
    include(after, sample);
  }
  store_info(after);
  transaction.commit();
  info_ = after;
}

std::int64_t SegmentWriter::tag_number(const std::string& tag) {
  if (const auto known = numbers_.find(tag); known != numbers_.end()) return known->second;
  prepared_->add_tag.bind(1, tag);
  prepared_->add_tag.exec();
  prepared_->add_tag.reset();
  prepared_->find_tag.bind(1, tag);
  prepared_->find_tag.executeStep();
  const std::int64_t number = prepared_->find_tag.getColumn(0).getInt64();
  prepared_->find_tag.reset();
  return numbers_[tag] = number;
}

void SegmentWriter::insert(const Sample& sample, std::int64_t tag) {
  SQLite::Statement& statement = prepared_->insert;
  statement.bind(1, tag);
  statement.bind(2, to_nanoseconds(sample.source_time));
  statement.bind(3, sample.element);
  statement.bind(4, sample.value);  // NaN becomes NULL
  statement.bind(5, static_cast<std::int32_t>(sample.quality));
  statement.bind(6, sample.status);
  statement.bind(7, static_cast<std::int64_t>((sample.received_time - sample.source_time).count()));
  statement.exec();
  statement.reset();
}

void SegmentWriter::mark(const Sample& sample, std::int64_t tag, std::int64_t rolled_up_until) {
  const std::int64_t minute = minute_of(sample);
  if (sample.element != 0 || minute <= rolled_up_until) return;
  prepared_->mark.bind(1, tag);
  prepared_->mark.bind(2, minute);
  prepared_->mark.exec();
  prepared_->mark.reset();
}

void SegmentWriter::store_info(const SegmentInfo& info) {
  int index = 1;
  for (const std::int64_t value : {info.samples, info.first_time, info.last_time, info.oldest, info.newest,
                                   info.first_received, info.last_received})
    prepared_->store_info.bind(index++, value);
  prepared_->store_info.exec();
  prepared_->store_info.reset();
}

SegmentReader::SegmentReader(const std::filesystem::path& path) : path_(path), database_(sqlite::open_reader(path)) {
  if (!sqlite::has_table(*database_, "sample")) return;
  select_ =
      std::make_shared<SQLite::Statement>(*database_,
                                          "SELECT time, element, value, quality, status, delay FROM sample "
                                          "WHERE tag = ? AND time >= ? AND time < ? ORDER BY time, element LIMIT ?");
}

void SegmentReader::read(const std::string& tag, std::int64_t from, std::int64_t to, std::size_t limit,
                         std::vector<Sample>& into) {
  if (!select_) return;
  const auto number = tag_number(tag);
  if (!number) return;
  select_->bind(1, *number);
  select_->bind(2, from);
  select_->bind(3, to);
  select_->bind(4, static_cast<std::int64_t>(limit));
  while (select_->executeStep()) {
    Sample sample;
    sample.source_time = to_time(select_->getColumn(0).getInt64());
    sample.element = select_->getColumn(1).getUInt();
    sample.value =
        select_->isColumnNull(2) ? std::numeric_limits<double>::quiet_NaN() : select_->getColumn(2).getDouble();
    const int quality = select_->getColumn(3).getInt();
    sample.quality = quality == 0 ? Quality::good : quality == 1 ? Quality::uncertain : Quality::bad;
    sample.status = select_->getColumn(4).getUInt();
    sample.received_time = sample.source_time + Duration(select_->getColumn(5).getInt64());
    into.push_back(sample);
  }
  select_->reset();
}

std::vector<std::string> SegmentReader::tags() {
  std::vector<std::string> names;
  if (!select_) return names;
  SQLite::Statement statement(*database_, "SELECT name FROM tag ORDER BY number");
  while (statement.executeStep()) names.push_back(statement.getColumn(0).getString());
  return names;
}

SegmentInfo SegmentReader::info(int number) {
  SegmentInfo info{.number = number, .path = path_};
  if (select_) read_about(*database_, info);
  return info;
}

std::optional<std::int64_t> SegmentReader::tag_number(const std::string& tag) {
  if (const auto known = numbers_.find(tag); known != numbers_.end()) return known->second;
  SQLite::Statement statement(*database_, "SELECT number FROM tag WHERE name = ?");
  statement.bind(1, tag);
  std::optional<std::int64_t> number;
  if (statement.executeStep()) number = statement.getColumn(0).getInt64();
  return numbers_[tag] = number;
}

std::vector<DirtyMinute> dirty_minutes(SQLite::Database& segment) {
  std::vector<DirtyMinute> minutes;
  SQLite::Statement statement(
      segment, "SELECT name, minute FROM dirty JOIN tag ON tag.number = dirty.tag ORDER BY name, minute");
  while (statement.executeStep())
    minutes.push_back({statement.getColumn(0).getString(), statement.getColumn(1).getInt64()});
  return minutes;
}

void mark_all_dirty(SQLite::Database& segment) {
  if (!sqlite::has_table(segment, "dirty")) return;
  segment.exec(
      "INSERT OR IGNORE INTO dirty SELECT DISTINCT tag, time - ((time % 60000000000) + 60000000000) % 60000000000 "
      "FROM sample WHERE element = 0");
}

void forget_dirty_minutes(SQLite::Database& segment, std::span<const DirtyMinute> minutes) {
  SQLite::Transaction transaction(segment, SQLite::TransactionBehavior::IMMEDIATE);
  SQLite::Statement statement(segment,
                              "DELETE FROM dirty WHERE minute = ?2 AND tag = (SELECT number FROM tag WHERE name = ?1)");
  for (const DirtyMinute& minute : minutes) {
    statement.bind(1, minute.tag);
    statement.bind(2, minute.start);
    statement.exec();
    statement.reset();
  }
  transaction.commit();
}

void merge_samples(std::vector<Sample>& first, std::vector<Sample> second) {
  const auto key = [](const Sample& sample) { return std::pair(sample.source_time, sample.element); };
  const auto middle = static_cast<std::ptrdiff_t>(first.size());
  std::ranges::move(second, std::back_inserter(first));
  std::ranges::inplace_merge(first, first.begin() + middle, {}, key);
  // Of equals the later stands last.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    if (i + 1 == first.size() || key(first[i]) != key(first[i + 1])) first[kept++] = first[i];
  first.resize(kept);
}

}  // namespace rltune::historian
