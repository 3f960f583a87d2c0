#include "session_table.hpp"

#include <SQLiteCpp/VariadicBind.h>

#include "rltune/access/secret.hpp"

namespace rltune::access::session_table {

constinit const Store::Schema kSchema{.tables = R"(
CREATE TABLE IF NOT EXISTS sessions (
  id        TEXT PRIMARY KEY,
  user      TEXT NOT NULL,
  client    TEXT NOT NULL,
  address   TEXT NOT NULL,
  begun     INTEGER NOT NULL,
  used      INTEGER NOT NULL,
  refreshes INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
  hash    TEXT PRIMARY KEY,
  session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  state   INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
  used    INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_of ON tokens(session, state);
)",
                                      .format = 1,
                                      .when_lost = "every session has ended: everybody signs in again"};

namespace {

using sqlite::to_nanoseconds;
using sqlite::to_time;

void insert_token(SQLite::Database& database, const std::string& hash, const std::string& session) {
  SQLite::Statement insert(database, "INSERT INTO tokens VALUES (?, ?, 0, 0)");
  SQLite::bind(insert, hash, session);
  insert.exec();
}

}  // namespace

std::vector<Row> all(SQLite::Database& database) {
  std::vector<Row> found;
  SQLite::Statement rows(database, "SELECT id, user, client, address, begun, used, refreshes FROM sessions");
  while (rows.executeStep())
    found.push_back(
        {.session = {.id = rows.getColumn(0).getString(),
                     .user = rows.getColumn(1).getString(),
                     .client = {.description = rows.getColumn(2).getString(), .address = rows.getColumn(3).getString()},
                     .begun = to_time(rows.getColumn(4).getInt64()),
                     .used = to_time(rows.getColumn(5).getInt64())},
         .refreshes = rows.getColumn(6).getUInt()});
  return found;
}

void insert(SQLite::Database& database, const Session& session, const std::string& token_hash) {
  SQLite::Statement insert(database, "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, 0)");
  SQLite::bind(insert, session.id, session.user, session.client.description, session.client.address,
               to_nanoseconds(session.begun), to_nanoseconds(session.used));
  insert.exec();
  insert_token(database, token_hash, session.id);
}

void remove(SQLite::Database& database, const std::string& id) {
  SQLite::Statement remove(database, "DELETE FROM sessions WHERE id = ?");
  SQLite::bind(remove, id);
  remove.exec();
}

std::optional<Token> find_token(SQLite::Database& database, const std::string& hash) {
  SQLite::Statement rows(database, "SELECT hash, session, state, used FROM tokens WHERE hash = ?");
  SQLite::bind(rows, hash);
  if (!rows.executeStep() || !same_hash(rows.getColumn(0).getString(), hash)) return std::nullopt;
  return Token{.session = rows.getColumn(1).getString(),
               .state = static_cast<TokenState>(rows.getColumn(2).getInt()),
               .used = to_time(rows.getColumn(3).getInt64())};
}

void renew(SQLite::Database& database, const Row& row, const std::string& shown, const std::string& fresh) {
  // What was good becomes used where it is the one shown, and spent where it is not; what was used becomes spent.
  SQLite::Statement spend(database,
                          "UPDATE tokens SET state = iif(state = 0 AND hash = ?, 1, 2), used = ? "
                          "WHERE session = ? AND state IN (0, 1)");
  SQLite::bind(spend, shown, to_nanoseconds(row.session.used), row.session.id);
  spend.exec();
  insert_token(database, fresh, row.session.id);
  SQLite::Statement update(database, "UPDATE sessions SET address = ?, used = ?, refreshes = ? WHERE id = ?");
  SQLite::bind(update, row.session.client.address, to_nanoseconds(row.session.used), row.refreshes, row.session.id);
  update.exec();
}

}  // namespace rltune::access::session_table
