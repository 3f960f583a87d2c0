// A small database of the door's: its owner's alone, every commit on the disk before it is answered, so that a kill at
// any moment takes nothing back.
//
// Threads: one at a time. Exceptions stay behind it.
#pragma once

#include <concepts>
#include <filesystem>

#include "rltune/base/error.hpp"
#include "rltune/sqlite/sqlite.hpp"

namespace rltune::access {

class Store {
 public:
  struct Schema {
    const char* tables;
    int format;             // a file of a later one is refused
    const char* when_lost;  // "everybody signs in again"
  };

  // A damaged file is put aside (base/damage.hpp) and begun anew. Errors: timeout: another process has it; unsupported:
  // of a later version; io; denied; no_space.
  static Result<Store> open(const std::filesystem::path& file, sqlite::Sharing sharing, const Schema& schema);

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
  Store(std::filesystem::path file, sqlite::Connection database)
      : file_(std::move(file)), database_(std::move(database)) {}
  static Result<Store> open_as_it_is(const std::filesystem::path& file, sqlite::Sharing sharing, const Schema& schema);

  template <typename Work>
  Result<> in_transaction(SQLite::TransactionBehavior behavior, Work& work) const try {
    SQLite::Transaction transaction(*database_, behavior);
    work(*database_);
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& exception) {
    return std::unexpected(sqlite::to_error(exception, file_, *database_));
  }

  std::filesystem::path file_;
  sqlite::Connection database_;
};

}  // namespace rltune::access
