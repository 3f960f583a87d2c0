#include "store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <format>

#include "rltune/base/damage.hpp"
#include "rltune/base/descriptor.hpp"

namespace rltune::access {
namespace {

constexpr int kBusyTimeoutMs = 1000;

// Before SQLite makes it for everybody; its log gets the same permissions. One that is there is not opened: closing it
// again would take away the locks that SQLite holds on it in this process.
Result<> make_private(const std::filesystem::path& file) {
  std::error_code code;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), code);
  const Descriptor made(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.get() >= 0 || (errno == EEXIST && ::chmod(file.c_str(), 0600) == 0)) return {};
  return fail(errno == EACCES || errno == EPERM ? Errc::denied : Errc::io,
              std::format("{} cannot be its owner's alone: {}", file.string(), std::strerror(errno)));
}

Errc errc_of(int code) {
  switch (code) {
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return Errc::denied;
    case SQLITE_BUSY:
      return Errc::timeout;
    default:
      return Errc::io;
  }
}

const char* explanation(Errc code) {
  if (code == Errc::corrupt) return "is damaged or is no database";
  if (code == Errc::no_space) return "cannot grow, the disk is full";
  if (code == Errc::timeout) return "is in use by another process";
  return "cannot be used";
}

// Throw SQLite::Exception.
int format_of(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

void create_tables(SQLite::Database& database, const Store::Schema& schema) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  database.exec(schema.tables);
  database.exec(std::format("PRAGMA user_version = {}", schema.format));
  transaction.commit();
}

}  // namespace

Error Store::to_error(const SQLite::Exception& exception, const std::filesystem::path& file) {
  const Errc code = errc_of(exception.getErrorCode());
  return {code, std::format("{} {} ({})", file.string(), explanation(code), exception.what())};
}

Result<Store> Store::open_as_it_is(const std::filesystem::path& file, Sharing sharing, const Schema& schema) try {
  if (auto made = make_private(file); !made) return std::unexpected(made.error());
  auto database = std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMs);
  if (sharing == Sharing::alone) database->exec("PRAGMA locking_mode = EXCLUSIVE");
  database->exec("PRAGMA journal_mode = WAL");
  database->exec("PRAGMA synchronous = FULL");
  database->exec("PRAGMA foreign_keys = ON");
  database->exec("PRAGMA trusted_schema = OFF");
  database->exec("PRAGMA journal_size_limit = 1048576");
  const int found = format_of(*database);
  if (found > schema.format)
    return fail(Errc::unsupported, std::format("{} is of format {}, from a later version; this one knows {}",
                                               file.string(), found, schema.format));
  if (found < schema.format) create_tables(*database, schema);  // a full disk keeps nobody from opening one
  SQLite::Statement check(*database, "PRAGMA integrity_check(1)");
  const std::string said = check.executeStep() ? check.getColumn(0).getString() : "it does not answer";
  if (said != "ok") return fail(Errc::corrupt, said);
  return Store(file, std::move(database));
} catch (const SQLite::Exception& exception) {
  return std::unexpected(to_error(exception, file));
}

Result<Store> Store::open(const std::filesystem::path& file, Sharing sharing, const Schema& schema) {
  auto opened = open_as_it_is(file, sharing, schema);
  if (opened || opened.error().code != Errc::corrupt) return opened;
  if (auto aside = put_aside(file, opened.error().message, schema.when_lost); !aside)
    return std::unexpected(aside.error());
  return open_as_it_is(file, sharing, schema);
}

}  // namespace rltune::access
