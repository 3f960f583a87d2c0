// Rollups of every tag at three resolutions, in rollups.db. A minute is computed from its samples, five minutes from
// minutes, an hour from five minutes; computing one again gives the same, so that a crash in between does no harm.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "raw_segment.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::historian {

// Of samples in ascending order of time.
Rollup roll_up(TimePoint start, std::span<const Sample> samples);
// Of consecutive rollups, with the same figures as if their samples had been rolled up together.
Rollup roll_up(TimePoint start, std::span<const Rollup> parts);

Duration length_of(Resolution resolution);

// Everything here throws SQLite::Exception.
class RollupStore {
 public:
  RollupStore(const std::filesystem::path& file, std::uint64_t wal_bytes_max);

  SQLite::Database& database() { return *database_; }

  // Stores these minutes and what follows from them, in one transaction.
  void store(const std::map<DirtyMinute, Rollup>& minutes);
  // Removes what starts before `cutoff`.
  void remove_before(Resolution resolution, TimePoint cutoff);
  // Removes the oldest tenth of a resolution; false when nothing is left.
  bool remove_oldest(Resolution resolution);
  // Gives free pages back to the file system.
  void shrink();

  // Minutes that start at or before this have lost samples to retention: they are not computed again.
  std::int64_t rolled_up_until();
  void set_removed(std::int64_t rolled_up_until, std::int64_t samples_removed);
  std::int64_t samples_removed();

 private:
  std::int64_t tag_number(const std::string& tag);
  void put(std::int64_t tag, Resolution resolution, const Rollup& rollup);
  sqlite::Connection database_;
  std::unique_ptr<SQLite::Statement> put_;
};

// Reads, also beside a writer. Throws SQLite::Exception.
class RollupReader {
 public:
  explicit RollupReader(SQLite::Database& database);
  std::vector<Rollup> read(const std::string& tag, Resolution resolution, TimePoint from, TimePoint to,
                           std::size_t limit);

 private:
  SQLite::Statement select_;
};
std::vector<std::string> rollup_tags(SQLite::Database& database);

}  // namespace rltune::historian
