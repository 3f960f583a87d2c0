// A small SQLite file of the door's: its owner's alone (0600), every commit on the disk before it is answered (WAL,
// synchronous=FULL), so that a kill at any moment takes nothing back.
//
// Threads: one at a time. Exceptions stay behind it.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

class Store {
 public:
  // alone: no other process opens it meanwhile, so that what the memory holds of it is right.
  enum class Sharing : std::uint8_t { alone, processes };
  struct Schema {
    const char* tables;
    int format;             // the file's user_version; a later one is refused
    const char* when_lost;  // "everybody signs in again"
  };

  // A damaged file is put aside (base/damage.hpp) and begun anew. Errors: timeout: another process has it; unsupported:
  // of a later version; io; denied; no_space.
  static Result<Store> open(const std::filesystem::path& file, Sharing sharing, const Schema& schema);

  // The work sees one state of the file.
  template <std::invocable<SQLite::Database&> Work>
  Result<> read(Work work) const {
    return in_transaction(SQLite::TransactionBehavior::DEFERRED, work);
  }
  // All of the work, or none of it where that is an error.
  template <std::invocable<SQLite::Database&> Work>
  Result<> write(Work work) {
    return in_transaction(SQLite::TransactionBehavior::IMMEDIATE, work);
  }

 private:
  Store(std::filesystem::path file, std::unique_ptr<SQLite::Database> database)
      : file_(std::move(file)), database_(std::move(database)) {}
  static Result<Store> open_as_it_is(const std::filesystem::path& file, Sharing sharing, const Schema& schema);
  static Error to_error(const SQLite::Exception& exception, const std::filesystem::path& file);

  template <typename Work>
  Result<> in_transaction(SQLite::TransactionBehavior behavior, Work& work) const try {
    SQLite::Transaction transaction(*database_, behavior);
    work(*database_);
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& exception) {
    return std::unexpected(to_error(exception, file_));
  }

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> database_;
};

inline std::int64_t to_nanoseconds(TimePoint time) { return time.time_since_epoch().count(); }
inline TimePoint to_time(std::int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

}  // namespace rltune::access
