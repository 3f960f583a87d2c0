// What both stores share in using SQLite: how a database is opened, and how its exceptions become errors.
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
Connection open_writer(const std::filesystem::path& file, std::uint64_t wal_bytes_max);
// Read-only, beside a writer. Throws SQLite::Exception.
Connection open_reader(const std::filesystem::path& file);

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

inline std::int64_t to_nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }
inline TimePoint to_time(std::int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

}  // namespace rltune::historian
