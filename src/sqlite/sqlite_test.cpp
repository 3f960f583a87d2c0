#include "rltune/sqlite/sqlite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <format>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::sqlite {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t kWalBytesMax = 256U << 10U;
constexpr const char* kSchema = "CREATE TABLE IF NOT EXISTS t(x)";

class SqliteTest : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "a.db"; }
  Connection writer() const {
    Connection database = open_writer(file(), kWalBytesMax);
    create_tables(*database, kSchema, 3);
    return database;
  }
  // What the work's exception says.
  template <typename Work>
  Error error_of(Work work) const {
    const auto done = guarded(file(), work);
    EXPECT_FALSE(done);
    return done ? Error{} : done.error();
  }

  TemporaryFolder folder_;
};

std::string pragma(SQLite::Database& database, const char* name) {
  return database.execAndGet(std::format("PRAGMA {}", name)).getString();
}

int rows(SQLite::Database& database) { return database.execAndGet("SELECT count(*) FROM t").getInt(); }

// Overwrites all but the first page, which says what the file is.
void damage(const fs::path& file) {
  std::string bytes = read_file(file).value();
  ASSERT_GT(bytes.size(), 4096U);
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  ASSERT_TRUE(write_file(file, bytes));
}

TEST_F(SqliteTest, a_writer_syncs_every_commit_and_bounds_its_log) {
  const Connection database = writer();
  EXPECT_EQ(pragma(*database, "journal_mode"), "wal");
  EXPECT_EQ(pragma(*database, "synchronous"), "2") << "FULL";
  EXPECT_EQ(pragma(*database, "journal_size_limit"), std::to_string(kWalBytesMax));
  for (int i = 0; i < 300; ++i) database->exec("INSERT INTO t VALUES(zeroblob(4096))");
  EXPECT_GT(wal_bytes(file()), 0U);
  EXPECT_LE(wal_bytes(file()), kWalBytesMax);
}

TEST_F(SqliteTest, only_who_asks_for_it_gives_pages_back) {
  EXPECT_EQ(pragma(*writer(), "auto_vacuum"), "0");
  const Connection shrinking = open_writer(folder_.path() / "b.db", kWalBytesMax, true);
  create_tables(*shrinking, kSchema);
  EXPECT_EQ(pragma(*shrinking, "auto_vacuum"), "2") << "INCREMENTAL";
}

TEST_F(SqliteTest, a_reader_sees_what_was_committed_and_writes_nothing) {
  const Connection database = writer();
  database->exec("INSERT INTO t VALUES(1)");
  const Connection reader = open_reader(file());
  EXPECT_EQ(rows(*reader), 1);
  EXPECT_EQ(error_of([&] { reader->exec("INSERT INTO t VALUES(2)"); }).code, Errc::denied);
  EXPECT_EQ(pragma(*reader, "trusted_schema"), "0");
}

TEST_F(SqliteTest, a_reader_takes_no_value_that_would_fill_the_memory) {
  const Connection database = writer();
  database->exec("INSERT INTO t VALUES(zeroblob(17 << 20))");
  const Connection reader = open_reader(file());
  const Error error = error_of([&] { reader->execAndGet("SELECT x FROM t").getString(); });
  EXPECT_THAT(error.message, HasSubstr("too big"));
}

TEST_F(SqliteTest, a_reader_makes_no_file) {
  EXPECT_EQ(error_of([&] { open_reader(file()); }).code, Errc::io);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(SqliteTest, tables_are_made_all_or_none) {
  const Connection database = open_writer(file(), kWalBytesMax);
  error_of([&] { create_tables(*database, "CREATE TABLE t(x); CREATE TABLE broken(", 3); });
  EXPECT_FALSE(has_table(*database, "t"));
  EXPECT_EQ(format_of(*database), 0);
  create_tables(*database, kSchema, 3);
  EXPECT_TRUE(has_table(*database, "t"));
  EXPECT_EQ(format_of(*database), 3);
}

TEST_F(SqliteTest, a_file_of_an_earlier_format_is_taken_on) {
  writer()->exec("INSERT INTO t VALUES(1)");
  const Connection database = open_writer(file(), kWalBytesMax);
  create_tables(*database, kSchema, 4);
  EXPECT_EQ(format_of(*database), 4);
  EXPECT_EQ(rows(*database), 1);
}

TEST_F(SqliteTest, what_a_later_version_wrote_is_refused_and_stays_as_it_is) {
  const Connection database = writer();
  const Error error = error_of([&] { create_tables(*database, "CREATE TABLE more(x)", 2); });
  EXPECT_EQ(error.code, Errc::unsupported);
  EXPECT_THAT(error.message, HasSubstr(file().string()));
  EXPECT_THAT(error.message, HasSubstr("a newer version wrote it, in format 3; this one knows 2"));
  EXPECT_FALSE(has_table(*database, "more"));
  EXPECT_EQ(format_of(*database), 3);
}

TEST_F(SqliteTest, pages_that_do_not_fit_together_are_named) {
  {
    const Connection database = writer();
    database->exec("CREATE INDEX i ON t(x)");
    for (int i = 0; i < 500; ++i) database->exec(std::format("INSERT INTO t VALUES('a word, and {}')", i));
    EXPECT_EQ(damage_of(*database, Scrutiny::quick), "");
    EXPECT_EQ(damage_of(*database, Scrutiny::thorough), "");
  }
  damage(file());
  const Connection reader = open_reader(file());
  EXPECT_NE(damage_of(*reader, Scrutiny::quick), "");
  EXPECT_NE(damage_of(*reader, Scrutiny::thorough), "");
  const Error error = error_of([&] { reader->execAndGet("SELECT sum(length(x)) FROM t NOT INDEXED"); });
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_THAT(error.message, HasSubstr(file().string() + " is damaged or is not a database"));
}

TEST_F(SqliteTest, only_thorough_scrutiny_sees_an_index_of_other_values) {
  const Connection database = writer();
  database->exec("CREATE TABLE pair(a, b); CREATE INDEX i ON pair(a); INSERT INTO pair VALUES(1, 2)");
  database->exec("PRAGMA writable_schema = ON");
  database->exec("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON pair(b)' WHERE name = 'i'");
  EXPECT_EQ(damage_of(*open_reader(file()), Scrutiny::quick), "");
  EXPECT_NE(damage_of(*open_reader(file()), Scrutiny::thorough), "");
}

TEST_F(SqliteTest, a_file_of_something_else_is_no_database) {
  ASSERT_TRUE(write_file(file(), std::string(8192, 'x')));
  EXPECT_EQ(error_of([&] { open_writer(file(), kWalBytesMax); }).code, Errc::corrupt);
  EXPECT_EQ(error_of([&] { rows(*open_reader(file())); }).code, Errc::corrupt);
  EXPECT_EQ(error_of([&] { open_private(file(), Sharing::alone); }).code, Errc::corrupt);
}

TEST_F(SqliteTest, a_full_disk_is_told_from_other_trouble) {
  const Connection database = writer();
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  Error full, other;
  try {
    database->exec("INSERT INTO t VALUES(1)");
  } catch (const SQLite::Exception& exception) {
    full = to_error(exception, file(), *database);
  }
  ::setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(full.code, Errc::no_space) << full.message;
  EXPECT_THAT(full.message, HasSubstr(file().string() + " cannot grow, the disk is full"));
  try {
    database->exec("nonsense");
  } catch (const SQLite::Exception& exception) {
    other = to_error(exception, file(), *database);
  }
  EXPECT_EQ(other.code, Errc::io) << "what the disk said before is over: " << other.message;
}

TEST_F(SqliteTest, a_page_limit_that_is_reached_is_a_full_disk) {
  const Connection database = writer();
  database->exec("PRAGMA max_page_count = 4");
  const Error error = error_of([&] { database->exec("INSERT INTO t VALUES(zeroblob(40000))"); });
  EXPECT_EQ(error.code, Errc::no_space) << error.message;
}

TEST_F(SqliteTest, who_waited_in_vain_hears_that_it_is_in_use) {
  const Connection database = writer(), second = open_writer(file(), kWalBytesMax);
  second->setBusyTimeout(0);
  const SQLite::Transaction transaction(*database, SQLite::TransactionBehavior::IMMEDIATE);
  const Error error = error_of([&] { second->exec("INSERT INTO t VALUES(1)"); });
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.message, HasSubstr("is in use by another process"));
}

TEST_F(SqliteTest, a_log_starts_anew_when_no_reader_holds_on_to_an_old_state) {
  const Connection database = writer();
  for (int i = 0; i < 10; ++i) database->exec("INSERT INTO t VALUES(zeroblob(4096))");
  const Connection reader = open_reader(file());
  reader->exec("BEGIN");
  EXPECT_EQ(rows(*reader), 10);
  database->exec("INSERT INTO t VALUES(1)");
  EXPECT_FALSE(restart_wal(*database));
  reader->exec("COMMIT");
  EXPECT_TRUE(restart_wal(*database));
  const std::uint64_t before = wal_bytes(file());
  database->exec("INSERT INTO t VALUES(1)");
  EXPECT_EQ(wal_bytes(file()), before) << "it is written from its beginning";
}

TEST_F(SqliteTest, a_copy_is_one_file_of_what_the_connection_sees) {
  const Connection database = writer();
  database->exec("INSERT INTO t VALUES(1)");
  const Connection reader = open_reader(file());
  reader->exec("BEGIN");
  EXPECT_EQ(rows(*reader), 1);
  database->exec("INSERT INTO t VALUES(zeroblob(10 << 20))");
  const fs::path copy = folder_.path() / "copy" / "a.db";
  EXPECT_THROW(copy_to(*reader, copy), SQLite::Exception) << "there is no such folder";
  fs::create_directory(copy.parent_path());
  copy_to(*reader, copy);
  EXPECT_EQ(std::distance(fs::directory_iterator(copy.parent_path()), fs::directory_iterator()), 1);
  EXPECT_EQ(damage_of(*open_reader(copy), Scrutiny::thorough), "");
  EXPECT_EQ(rows(*open_reader(copy)), 1);
  EXPECT_EQ(format_of(*open_reader(copy)), 3);
}

TEST_F(SqliteTest, sizes_are_those_of_all_files_and_none_stays) {
  EXPECT_EQ(file_bytes(file()), 0U);
  const Connection database = writer();
  database->exec("INSERT INTO t VALUES(zeroblob(100000))");
  EXPECT_EQ(wal_bytes(file()), fs::file_size(file().string() + "-wal"));
  EXPECT_EQ(file_bytes(file()), fs::file_size(file()) + wal_bytes(file()) + fs::file_size(file().string() + "-shm"));
  remove_database(file());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(SqliteTest, a_private_file_is_its_owners_alone) {
  ASSERT_TRUE(write_file(file(), ""));
  fs::permissions(file(), fs::perms::all);  // as another program made it
  const Connection database = open_private(file(), Sharing::processes);
  create_tables(*database, kSchema);
  for (const char* part : {"", "-wal", "-shm"})
    EXPECT_EQ(fs::status(file().string() + part).permissions(), fs::perms::owner_read | fs::perms::owner_write) << part;
  EXPECT_EQ(pragma(*database, "synchronous"), "2") << "FULL";
  EXPECT_EQ(pragma(*database, "foreign_keys"), "1");
  EXPECT_EQ(pragma(*database, "trusted_schema"), "0");
}

TEST_F(SqliteTest, what_cannot_be_made_private_is_not_opened) {
  ASSERT_TRUE(write_file(file(), "not a folder"));
  const fs::path below = file() / "b.db";
  const auto opened = guarded(below, [&] { open_private(below, Sharing::alone); });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::io);
  EXPECT_THAT(opened.error().message, HasSubstr("it cannot be its owner's alone"));
}

// Locks are between processes: another one tells by its exit status whether it could read.
bool another_process_reads(const fs::path& file) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(guarded(file, [&] { rows(*open_reader(file)); }) ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(SqliteTest, who_is_alone_has_the_file_until_it_closes) {
  {
    const Connection database = open_private(file(), Sharing::alone);
    create_tables(*database, kSchema);
    EXPECT_FALSE(another_process_reads(file()));
  }
  EXPECT_TRUE(another_process_reads(file()));
  const Connection database = open_private(file(), Sharing::processes);
  EXPECT_EQ(rows(*database), 0);
  EXPECT_TRUE(another_process_reads(file()));
}

}  // namespace
}  // namespace rltune::sqlite
