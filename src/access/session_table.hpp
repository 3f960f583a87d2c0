// Sessions and their refresh tokens as rows. All throw SQLite::Exception.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rltune/access/sessions.hpp"
#include "store.hpp"

namespace rltune::access::session_table {

extern const Store::Schema kSchema;

struct Row {
  Session session;
  std::uint32_t refreshes = 0;
};

enum class TokenState : std::uint8_t {
  good = 0,
  used = 1,   // changed for the one that is good
  spent = 2,  // of before that, or changed for another without having been used
};

struct Token {
  std::string session;
  TokenState state = TokenState::good;
  TimePoint used{};
};

std::vector<Row> all(SQLite::Database& database);
void insert(SQLite::Database& database, const Session& session, const std::string& token_hash);
void remove(SQLite::Database& database, const std::string& id);
std::optional<Token> find_token(SQLite::Database& database, const std::string& hash);
// `row`: as it is from now on. Of its tokens `fresh` is good, `shown` used, where it was good, and all others are
// spent.
void renew(SQLite::Database& database, const Row& row, const std::string& shown, const std::string& fresh);

}  // namespace rltune::access::session_table
