// What stores share in using SQLite: how a database is opened, and how its exceptions become errors.
// Exceptions stay behind guarded().
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <concepts>
#include <filesystem>
#include <memory>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::historian {

using Connection = std::unique_ptr<SQLite::Database>;

// WAL, every commit synced, created where missing. Throws SQLite::Exception.
// `shrinks`: a new database gives pages back by PRAGMA incremental_vacuum.
Connection open_writer(const std::filesystem::path& file, std::uint64_t wal_bytes_max, bool shrinks = false);
// For reading beside a writer. Where permissions allow it recovers what a killed writer left. Throws SQLite::Exception.
Connection open_reader(const std::filesystem::path& file);

// All tables or none: a writer killed at once may leave a file without any. `format` stands in the file as its
// user_version; a file of a later one is refused. Throws SQLite::Exception.
void create_tables(SQLite::Database& database, const char* schema, int format = 1);
bool has_table(SQLite::Database& database, const char* name);

// What SQLite finds wrong with its pages, and thorough: with its indices, first; empty when they fit together. A value
// that changed within a page is not seen by that. Throws SQLite::Exception.
enum class Scrutiny { quick, thorough };
std::string damage_of(SQLite::Database& database, Scrutiny scrutiny);

// Bytes of the write-ahead log beside a database; 0 where there is none.
std::uint64_t wal_bytes(const std::filesystem::path& file) noexcept;
// Of the database, its log and its index.
std::uint64_t file_bytes(const std::filesystem::path& file) noexcept;

// Moves the log into the database so that it starts anew. False when a reader that holds on to an old state
// forbids it: the log then only grows. Throws SQLite::Exception.
bool restart_wal(SQLite::Database& database);

Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file);
// The same, with what the operating system said to this connection.
Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file, const SQLite::Database& database);

template <std::invocable Work>
auto guarded(const std::filesystem::path& file, Work work) -> Result<decltype(work())> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const SQLite::Exception& exception) {
    return std::unexpected(to_error(exception, file));
  }
}

// Removes a database with its log and its index.
void remove_database(const std::filesystem::path& file) noexcept;

inline std::int64_t to_nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }
inline TimePoint to_time(std::int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

}  // namespace rltune::historian
