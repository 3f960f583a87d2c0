#include "rltune/sqlite/sqlite.hpp"

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include "rltune/base/descriptor.hpp"

namespace rltune::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 2000;
constexpr int kPrivateBusyTimeoutMs = 1000;
constexpr std::uint64_t kPrivateWalBytesMax = 1U << 20U;
constexpr int kReadBytesMax = 16 << 20;
constexpr int kPagesAtOnce = 1024;
// SQLite gives this code to nothing; to_error() knows it again.
constexpr int kLaterFormat = SQLITE_FORMAT;

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
    case kLaterFormat:
      return Errc::unsupported;
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
  if (errc == Errc::timeout) what = "is in use by another process or thread";
  const std::string cause = system_error == 0 ? reason : std::format("{}: {}", reason, std::strerror(system_error));
  return {errc, std::format("{} {} ({})", file.string(), what, cause)};
}

// Before SQLite makes it for everybody; its log gets the same permissions. One that is there is not opened: closing it
// again would take away the locks that SQLite holds on it in this process.
void make_private(const std::filesystem::path& file) {
  std::error_code code;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), code);
  const Descriptor made(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.get() >= 0 || (errno == EEXIST && ::chmod(file.c_str(), 0600) == 0)) return;
  throw SQLite::Exception(std::format("it cannot be its owner's alone: {}", std::strerror(errno)),
                          errno == EACCES || errno == EPERM ? SQLITE_PERM : SQLITE_IOERR);
}

void sync_every_commit(SQLite::Database& database, std::uint64_t wal_bytes_max) {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  // Once started anew the log keeps no more than this on disk.
  database.exec(std::format("PRAGMA journal_size_limit = {}", wal_bytes_max));
}

}  // namespace

Connection open_writer(const std::filesystem::path& file, std::uint64_t wal_bytes_max, bool shrinks) {
  auto database =
      std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
  if (shrinks) database->exec("PRAGMA auto_vacuum = INCREMENTAL");
  sync_every_commit(*database, wal_bytes_max);
  database->exec("PRAGMA foreign_keys = OFF");
  database->exec(std::format("PRAGMA wal_autocheckpoint = {}", std::max<std::uint64_t>(32, wal_bytes_max / 4 / 4096)));
  return database;
}

Connection open_private(const std::filesystem::path& file, Sharing sharing) {
  make_private(file);
  auto database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE, kPrivateBusyTimeoutMs);
  if (sharing == Sharing::alone) database->exec("PRAGMA locking_mode = EXCLUSIVE");
  sync_every_commit(*database, kPrivateWalBytesMax);
  database->exec("PRAGMA foreign_keys = ON");
  database->exec("PRAGMA trusted_schema = OFF");
  return database;
}

Connection open_reader(const std::filesystem::path& file) {
  const int mode = ::access(file.c_str(), W_OK) == 0 ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY;
  auto database = std::make_unique<SQLite::Database>(file.string(), mode, kBusyTimeoutMs);
  database->exec("PRAGMA query_only = ON");
  // A file may come from elsewhere: its schema runs nothing, its values stay small.
  database->exec("PRAGMA trusted_schema = OFF");
  sqlite3_limit(database->getHandle(), SQLITE_LIMIT_LENGTH, kReadBytesMax);
  return database;
}

void create_tables(SQLite::Database& database, const char* schema, int format) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const int found = format_of(database);
  if (found > format)
    throw SQLite::Exception(std::format("a newer version wrote it, in format {}; this one knows {}", found, format),
                            kLaterFormat);
  database.exec(schema);
  if (found < format) database.exec(std::format("PRAGMA user_version = {}", format));
  transaction.commit();
}

int format_of(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

bool has_table(SQLite::Database& database, const char* name) {
  SQLite::Statement statement(database, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  statement.bind(1, name);
  return statement.executeStep();
}

std::string damage_of(SQLite::Database& database, Scrutiny scrutiny) {
  SQLite::Statement check(database,
                          scrutiny == Scrutiny::quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)");
  const std::string said = check.executeStep() ? check.getColumn(0).getString() : "it does not answer";
  return said == "ok" ? "" : said;
}

std::uint64_t wal_bytes(const std::filesystem::path& file) noexcept { return size_of(file.string() + "-wal"); }

std::uint64_t file_bytes(const std::filesystem::path& file) noexcept {
  return size_of(file) + wal_bytes(file) + size_of(file.string() + "-shm");
}

void remove_database(const std::filesystem::path& file) noexcept {
  std::error_code code;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix, code);
}

bool restart_wal(SQLite::Database& database) {
  // No waiting: the writer thread has samples to commit.
  database.setBusyTimeout(0);
  SQLite::Statement checkpoint(database, "PRAGMA wal_checkpoint(RESTART)");
  const bool restarted = checkpoint.executeStep() && checkpoint.getColumn(0).getInt() == 0;
  database.setBusyTimeout(kBusyTimeoutMs);
  return restarted;
}

void copy_to(SQLite::Database& database, const std::filesystem::path& target) {
  {
    SQLite::Database copy(target.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup backup(copy, database);
    int step = SQLITE_OK;
    while (step == SQLITE_OK) step = backup.executeStep(kPagesAtOnce);
    if (step != SQLITE_DONE) throw SQLite::Exception(sqlite3_errstr(step), step);
  }
  std::error_code ignored;
  for (const char* suffix : {"-wal", "-shm", "-journal"}) std::filesystem::remove(target.string() + suffix, ignored);
}

Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file) {
  return make_error(exception.getErrorCode(), 0, exception.what(), file);
}

Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file,
               const SQLite::Database& database) {
  const int code = exception.getErrorCode();
  // The connection keeps what it was told last, whatever went well since.
  const bool just_said = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  return make_error(code, just_said ? sqlite3_system_errno(database.getHandle()) : 0, exception.what(), file);
}

}  // namespace rltune::sqlite
