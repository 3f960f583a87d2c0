// What stores share in using SQLite: how a database is opened, and how its exceptions become errors.
//
// Threads: a connection belongs to one thread at a time.
// Errors:  exceptions stay behind guarded(); what throws says so.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::sqlite {

using Connection = std::unique_ptr<SQLite::Database>;

// WAL, every commit synced, created where missing. Throws SQLite::Exception.
// `shrinks`: a new database gives pages back by PRAGMA incremental_vacuum.
Connection open_writer(const std::filesystem::path& file, std::uint64_t wal_bytes_max, bool shrinks = false);
// The same of a small file that is its owner's alone (0600), as its log is; foreign keys hold. Throws
// SQLite::Exception. alone: no other process opens it meanwhile, so that what the memory holds of it is right.
enum class Sharing : std::uint8_t { alone, processes };
Connection open_private(const std::filesystem::path& file, Sharing sharing);
// For reading beside a writer. Where permissions allow it recovers what a killed writer left. Throws SQLite::Exception.
Connection open_reader(const std::filesystem::path& file);

// All tables or none: a writer killed at once may leave a file without any. `format` stands in the file as its
// user_version; a file of a later one is refused as unsupported. Throws SQLite::Exception.
void create_tables(SQLite::Database& database, const char* schema, int format = 1);
// 0: nobody has said it yet. Throws SQLite::Exception.
int format_of(SQLite::Database& database);
bool has_table(SQLite::Database& database, const char* name);

// What SQLite finds wrong with its pages, and thorough: with its indices, first; empty when they fit together. A value
// that changed within a page is not seen by that. Throws SQLite::Exception.
enum class Scrutiny : std::uint8_t { quick, thorough };
std::string damage_of(SQLite::Database& database, Scrutiny scrutiny);

// Bytes of the write-ahead log beside a database; 0 where there is none.
std::uint64_t wal_bytes(const std::filesystem::path& file) noexcept;
// Of the database, its log and its index.
std::uint64_t file_bytes(const std::filesystem::path& file) noexcept;

// Moves the log into the database so that it starts anew. False when a reader that holds on to an old state
// forbids it: the log then only grows. Throws SQLite::Exception.
bool restart_wal(SQLite::Database& database);

// What this connection sees, in its transaction where it has one, as one file without a log beside it, however long
// that takes and whoever writes meanwhile. Throws SQLite::Exception.
void copy_to(SQLite::Database& database, const std::filesystem::path& target);

// Errors: no_space; corrupt: damaged, or no database; denied; timeout: in use elsewhere; unsupported: of a later
// version; io.
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

// How times stand in our databases.
inline std::int64_t to_nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }
inline TimePoint to_time(std::int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

}  // namespace rltune::sqlite
