#include "sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <format>

namespace rltune::historian {
namespace {

constexpr int kBusyTimeoutMs = 2000;
constexpr int kReadBytesMax = 16 << 20;

std::uint64_t size_of(const std::filesystem::path& file) noexcept {
  std::error_code code;
  const auto size = std::filesystem::file_size(file, code);
  return code ? 0 : size;
}

Errc errc_of(int code, int system_error) {
  switch (code) {
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Errc::denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::timeout;
    default:
      break;
  }
  // SQLite calls a full quota or a file size limit a write error.
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG ? Errc::no_space : Errc::io;
}

Error make_error(int code, int system_error, const std::string& reason, const std::filesystem::path& file) {
  const Errc errc = errc_of(code, system_error);
  const char* what = "cannot be used";
  if (errc == Errc::corrupt) what = "is damaged or is not a database";
  if (errc == Errc::no_space) what = "cannot grow, the disk is full";
  const std::string cause =
      system_error == 0 || errc == Errc::corrupt ? reason : std::format("{}: {}", reason, std::strerror(system_error));
  return {errc, std::format("{} {} ({})", file.string(), what, cause)};
}

}  // namespace

Connection open_writer(const std::filesystem::path& file, std::uint64_t wal_bytes_max) {
  auto database =
      std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
  database->exec("PRAGMA journal_mode = WAL");
  database->exec("PRAGMA synchronous = FULL");
  database->exec("PRAGMA foreign_keys = OFF");
  // Once started anew the log keeps no more than this on disk.
  database->exec(std::format("PRAGMA journal_size_limit = {}", wal_bytes_max));
  return database;
}

Connection open_reader(const std::filesystem::path& file) {
  auto database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY, kBusyTimeoutMs);
  // A file may come from elsewhere: its schema runs nothing, its values stay small.
  database->exec("PRAGMA trusted_schema = OFF");
  sqlite3_limit(database->getHandle(), SQLITE_LIMIT_LENGTH, kReadBytesMax);
  return database;
}

std::uint64_t wal_bytes(const std::filesystem::path& file) noexcept { return size_of(file.string() + "-wal"); }

std::uint64_t file_bytes(const std::filesystem::path& file) noexcept {
  return size_of(file) + wal_bytes(file) + size_of(file.string() + "-shm");
}

bool restart_wal(SQLite::Database& database) {
  // No waiting: the writer thread has samples to commit.
  database.setBusyTimeout(0);
  SQLite::Statement checkpoint(database, "PRAGMA wal_checkpoint(RESTART)");
  const bool restarted = checkpoint.executeStep() && checkpoint.getColumn(0).getInt() == 0;
  database.setBusyTimeout(kBusyTimeoutMs);
  return restarted;
}

Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file) {
  return make_error(exception.getErrorCode(), 0, exception.what(), file);
}

Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file,
               const SQLite::Database& database) {
  return make_error(exception.getErrorCode(), sqlite3_system_errno(database.getHandle()), exception.what(), file);
}

}  // namespace rltune::historian
