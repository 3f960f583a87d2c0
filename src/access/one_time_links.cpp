#include "rltune/access/one_time_links.hpp"

#include <SQLiteCpp/VariadicBind.h>

#include <mutex>
#include <optional>

#include "rltune/access/secret.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/sha256.hpp"
#include "store.hpp"

namespace rltune::access {
namespace {

using sqlite::to_nanoseconds;
using sqlite::to_time;

constexpr Store::Schema kSchema{.tables = R"(
CREATE TABLE IF NOT EXISTS links (
  hash    TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  subject TEXT NOT NULL,
  ends    INTEGER NOT NULL,
  UNIQUE (purpose, subject)
) STRICT;
)",
                                .format = 1,
                                .when_lost = "links that were out are good for nothing: make them anew"};

std::unexpected<Error> refused() {
  return fail(Errc::denied, "this link was used before, is over, or was never made: ask for another one");
}

// `query` gives hash, purpose, subject, ends of the one hash that it is given.
std::optional<OneTimeLink> find(SQLite::Database& database, const char* query, const std::string& hash, TimePoint now) {
  SQLite::Statement rows(database, query);
  rows.bind(1, hash);
  if (!rows.executeStep() || !same_hash(rows.getColumn(0).getString(), hash)) return std::nullopt;
  if (to_time(rows.getColumn(3).getInt64()) <= now) return std::nullopt;
  return OneTimeLink{.purpose = rows.getColumn(1).getString(), .subject = rows.getColumn(2).getString()};
}

void remove_ended(SQLite::Database& database, TimePoint now) {
  SQLite::Statement remove(database, "DELETE FROM links WHERE ends <= ?");
  SQLite::bind(remove, to_nanoseconds(now));
  remove.exec();
}

Result<OneTimeLink> answer(const Result<>& done, std::optional<OneTimeLink> found) {
  if (!done) return std::unexpected(done.error());
  if (!found) return refused();
  return std::move(*found);
}

}  // namespace

struct OneTimeLinks::State {
  explicit State(Store opened) : store(std::move(opened)) {}

  mutable std::mutex mutex;
  Store store;
};

OneTimeLinks::OneTimeLinks(std::unique_ptr<State> state) : state_(std::move(state)) {}
OneTimeLinks::OneTimeLinks(OneTimeLinks&&) noexcept = default;
OneTimeLinks::~OneTimeLinks() = default;

Result<OneTimeLinks> OneTimeLinks::open(const std::filesystem::path& file) {
  auto store = Store::open(file, sqlite::Sharing::processes, kSchema);
  if (!store) return std::unexpected(store.error());
  return OneTimeLinks(std::make_unique<State>(std::move(*store)));
}

Result<std::string> OneTimeLinks::make(const OneTimeLink& link, Duration valid_for, TimePoint now) {
  RLTUNE_CHECK(valid_for > Duration{});
  std::string secret = make_secret();
  const std::scoped_lock lock(state_->mutex);
  auto written = state_->store.write([&](SQLite::Database& database) {
    remove_ended(database, now);
    SQLite::Statement insert(database, "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?)");
    SQLite::bind(insert, sha256(secret), link.purpose, link.subject, to_nanoseconds(now + valid_for));
    insert.exec();
  });
  if (!written) return std::unexpected(written.error());
  return secret;
}

Result<OneTimeLink> OneTimeLinks::look(std::string_view secret, TimePoint now) const {
  if (!is_secret(secret)) return refused();
  std::optional<OneTimeLink> found;
  const std::scoped_lock lock(state_->mutex);
  const auto read = state_->store.read([&](SQLite::Database& database) {
    found = find(database, "SELECT hash, purpose, subject, ends FROM links WHERE hash = ?", sha256(secret), now);
  });
  return answer(read, std::move(found));
}

Result<OneTimeLink> OneTimeLinks::take(std::string_view secret, TimePoint now) {
  if (!is_secret(secret)) return refused();
  std::optional<OneTimeLink> found;
  const std::scoped_lock lock(state_->mutex);
  const auto written = state_->store.write([&](SQLite::Database& database) {
    found =
        find(database, "DELETE FROM links WHERE hash = ? RETURNING hash, purpose, subject, ends", sha256(secret), now);
  });
  return answer(written, std::move(found));
}

Result<bool> OneTimeLinks::withdraw(const OneTimeLink& link, TimePoint now) {
  int removed = 0;
  const std::scoped_lock lock(state_->mutex);
  const auto written = state_->store.write([&](SQLite::Database& database) {
    remove_ended(database, now);
    SQLite::Statement remove(database, "DELETE FROM links WHERE purpose = ? AND subject = ?");
    SQLite::bind(remove, link.purpose, link.subject);
    removed = remove.exec();
  });
  if (!written) return std::unexpected(written.error());
  return removed > 0;
}

}  // namespace rltune::access
