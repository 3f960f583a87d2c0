// Raw samples in files of bounded size, one after the other: raw-00000001.db, ... Retention removes whole files,
// and a reader that holds on to one cannot make the log of the next one grow.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/sqlite/sqlite.hpp"

namespace rltune::historian {

// The instant that retention counts: neither a simulated plant's past nor a wrong sensor clock's future makes it
// later than when the sample came.
inline std::int64_t effective_time(const Sample& sample) {
  return std::min(sqlite::to_nanoseconds(sample.source_time), sqlite::to_nanoseconds(sample.received_time));
}

struct SegmentInfo {
  int number = 0;
  std::filesystem::path path;
  std::int64_t samples = 0;
  std::int64_t first_time = std::numeric_limits<std::int64_t>::max();  // source times
  std::int64_t last_time = std::numeric_limits<std::int64_t>::min();
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();  // effective times
  std::int64_t newest = std::numeric_limits<std::int64_t>::min();
  std::int64_t first_received = std::numeric_limits<std::int64_t>::max();
  std::int64_t last_received = std::numeric_limits<std::int64_t>::min();

  bool overlaps(std::int64_t from, std::int64_t to) const { return first_time < to && last_time >= from; }
};

std::filesystem::path segment_path(const std::filesystem::path& folder, int number);

struct DamagedSegment {
  std::filesystem::path path;
  Error error;
};

// What a folder holds, ascending. A file that cannot be read is left out and its error added to `damaged`.
std::vector<SegmentInfo> list_segments(const std::filesystem::path& folder, std::vector<DamagedSegment>& damaged);

// One minute of one tag whose rollup no longer follows from its samples.
struct DirtyMinute {
  std::string tag;
  std::int64_t start = 0;
  auto operator<=>(const DirtyMinute&) const = default;
};

// Everything here throws SQLite::Exception.
class SegmentWriter {
 public:
  SegmentWriter(SegmentInfo info, std::uint64_t wal_bytes_max);

  const SegmentInfo& info() const { return info_; }
  SQLite::Database& database() { return *database_; }

  // One transaction. Minutes that start at or before `rolled_up_until` are not marked: their samples are gone.
  void commit(std::span<const Sample> samples, std::span<const std::string> tags, std::int64_t rolled_up_until);

 private:
  std::int64_t tag_number(const std::string& tag);
  void insert(const Sample& sample, std::int64_t tag);
  void mark(const Sample& sample, std::int64_t tag, std::int64_t rolled_up_until);
  void store_info(const SegmentInfo& info);

  SegmentInfo info_;
  sqlite::Connection database_;
  struct Prepared;
  std::shared_ptr<Prepared> prepared_;
  std::map<std::string, std::int64_t> numbers_;
};

class SegmentReader {
 public:
  explicit SegmentReader(const std::filesystem::path& path);

  // Samples of one tag in [from, to), ascending, at most `limit`; Sample::tag is left 0.
  void read(const std::string& tag, std::int64_t from, std::int64_t to, std::size_t limit, std::vector<Sample>& into);
  std::vector<std::string> tags();
  SegmentInfo info(int number);

 private:
  std::optional<std::int64_t> tag_number(const std::string& tag);
  std::filesystem::path path_;
  sqlite::Connection database_;
  std::shared_ptr<SQLite::Statement> select_;  // none in a file without tables
  std::map<std::string, std::optional<std::int64_t>> numbers_;
};

std::vector<DirtyMinute> dirty_minutes(SQLite::Database& segment);
// Every minute that has samples.
void mark_all_dirty(SQLite::Database& segment);
void forget_dirty_minutes(SQLite::Database& segment, std::span<const DirtyMinute> minutes);

// Ascending by time and element; where both have one, the later segment's stays. `first` holds the earlier segments'.
void merge_samples(std::vector<Sample>& first, std::vector<Sample> second);

}  // namespace rltune::historian
