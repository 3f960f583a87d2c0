#include "snapshot.hpp"

#include <sqlite3.h>

#include <format>
#include <string>
#include <utility>

namespace rltune::backup {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr int kPagesAtOnce = 1024;

std::unexpected<Error> error_of(sqlite3* handle, int code, const std::filesystem::path& file) {
  const int primary = code & 0xFF;
  const Errc errc = primary == SQLITE_FULL                                  ? Errc::no_space
                    : primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? Errc::corrupt
                    : primary == SQLITE_BUSY || primary == SQLITE_LOCKED    ? Errc::timeout
                    : primary == SQLITE_CANTOPEN                            ? Errc::not_found
                                                                            : Errc::io;
  return fail(errc, std::format("{} cannot be copied: {}", file.string(),
                                handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code)));
}

}  // namespace

Result<Snapshot> Snapshot::open(const std::filesystem::path& database) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  Snapshot snapshot(database, handle);
  if (opened != SQLITE_OK) return error_of(handle, opened, database);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // BEGIN alone takes no snapshot: the first reading does.
  const int begun = sqlite3_exec(handle, "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_master", nullptr,
                                 nullptr, nullptr);
  if (begun != SQLITE_OK) return error_of(handle, begun, database);
  return snapshot;
}

Snapshot::~Snapshot() { sqlite3_close(handle_); }

Snapshot::Snapshot(Snapshot&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, nullptr)) {}

Result<> Snapshot::copy_to(const std::filesystem::path& target) const {
  sqlite3* copy = nullptr;
  int code = sqlite3_open_v2(target.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code == SQLITE_OK) {
    if (sqlite3_backup* backup = sqlite3_backup_init(copy, "main", handle_, "main")) {
      do code = sqlite3_backup_step(backup, kPagesAtOnce);
      while (code == SQLITE_OK);
      code = sqlite3_backup_finish(backup);
    } else {
      code = sqlite3_errcode(copy);
    }
  }
  Result<> done = code == SQLITE_OK ? Result<>{} : Result<>(error_of(copy, code, path_));
  sqlite3_close(copy);
  std::error_code ignored;
  for (const char* suffix : {"-wal", "-shm", "-journal"}) std::filesystem::remove(target.string() + suffix, ignored);
  return done;
}

}  // namespace rltune::backup
