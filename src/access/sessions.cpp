#include "rltune/access/sessions.hpp"

#include <algorithm>
#include <concepts>
#include <map>
#include <mutex>
#include <optional>

#include "rltune/access/secret.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/base/utf8.hpp"
#include "session_table.hpp"

namespace rltune::access {
namespace {

using session_table::Row;
using session_table::Token;
using session_table::TokenState;

constexpr std::size_t kTextBytesMax = 200;

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    std::uint32_t character = 0;
    const std::size_t length = utf8_length(text, character);
    const bool shown = length > 0 && character >= 0x20 && (character < 0x7F || character > 0x9F);
    const std::string_view letter = shown ? text.substr(0, length) : "?";
    if (clean.size() + letter.size() > kTextBytesMax) break;
    clean += letter;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace

struct Sessions::State {
  State(SessionOptions with, Store opened) : options(std::move(with)), store(std::move(opened)) {}

  bool over(const Session& session, TimePoint now) const {
    return now - session.begun >= options.life || now - session.used >= options.idle_life;
  }

  // The file holds no session longer than the memory does: whoever was to end while the disk refused goes first.
  template <std::invocable<SQLite::Database&> Work>
  Result<> write(Work work) {
    auto written = store.write([&](SQLite::Database& database) {
      for (const std::string& id : to_remove) session_table::remove(database, id);
      work(database);
    });
    if (written) to_remove.clear();
    return written;
  }

  Result<> end(const std::vector<std::string>& ids) {
    forget(ids);
    to_remove.insert(to_remove.end(), ids.begin(), ids.end());
    if (to_remove.empty()) return {};
    auto written = write([](SQLite::Database&) {});
    if (written) return {};
    return fail(written.error().code,
                written.error().message +
                    "; who was to be signed out is refused from now on, but a restart before the disk takes it would "
                    "let them in again");
  }

  void forget(const std::vector<std::string>& ids) {
    const std::scoped_lock lock(live_mutex);
    for (const std::string& id : ids) live.erase(id);
  }

  void keep(Row row) {
    const std::scoped_lock lock(live_mutex);
    std::string id = row.session.id;
    live.insert_or_assign(std::move(id), std::move(row));
  }

  // Only whoever has `mutex` changes `live`, and may read it without live_mutex.
  std::vector<std::string> all_over(TimePoint now) const {
    std::vector<std::string> ids;
    for (const auto& [id, row] : live)
      if (over(row.session, now)) ids.push_back(id);
    return ids;
  }

  std::vector<Session> of(std::string_view user, TimePoint now) const {
    std::vector<Session> found;
    for (const auto& [id, row] : live)
      if (row.session.user == user && !over(row.session, now)) found.push_back(row.session);
    std::ranges::stable_sort(found, {}, &Session::begun);
    return found;
  }

  bool may_be_renewed(const Token& token, TimePoint now) const {
    if (token.state == TokenState::good) return true;
    return token.state == TokenState::used && options.lost_answer_leeway > Duration{} && now >= token.used &&
           now - token.used <= options.lost_answer_leeway;
  }

  // The outcome counts, whatever the disk says: the session is refused.
  Refreshed ended(RefreshOutcome outcome, Session session) {
    if (const auto done = end({session.id}); !done)
      log::error("a session that ended is still in the file", {{"because", done.error().message}});
    return {.outcome = outcome, .session = std::move(session)};
  }

  Result<Refreshed> renew(Row row, const std::string& shown, std::string_view address, TimePoint now) {
    row.session.used = std::max(row.session.used, now);
    row.session.client.address = printable(address);
    ++row.refreshes;
    std::string fresh = make_secret();
    auto written =
        write([&](SQLite::Database& database) { session_table::renew(database, row, shown, sha256(fresh)); });
    if (!written) return std::unexpected(written.error());
    keep(row);
    return Refreshed{RefreshOutcome::renewed, std::move(row.session), std::move(fresh)};
  }

  const SessionOptions options;
  std::mutex mutex;  // of who changes anything
  Store store;
  std::vector<std::string> to_remove;
  // Held for moments. No shared_mutex: where readers follow on one another it lets an end wait for long.
  mutable std::mutex live_mutex;
  std::map<std::string, Row, std::less<>> live;
};

Sessions::Sessions(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sessions::Sessions(Sessions&&) noexcept = default;
Sessions::~Sessions() = default;

Result<Sessions> Sessions::open(SessionOptions options, TimePoint now) {
  RLTUNE_CHECK(options.per_user_max >= 1);
  auto store = Store::open(options.file, sqlite::Sharing::alone, session_table::kSchema);
  if (!store) return std::unexpected(store.error());
  auto state = std::make_unique<State>(std::move(options), std::move(*store));
  auto read = state->store.read([&](SQLite::Database& database) {
    for (Row& row : session_table::all(database)) state->keep(std::move(row));
  });
  if (!read) return std::unexpected(read.error());
  if (const auto removed = state->end(state->all_over(now)); !removed)
    log::warning("sessions that are over are still in their file", {{"because", removed.error().message}});
  return Sessions(std::move(state));
}

Result<SessionBegun> Sessions::begin(std::string_view user, Client client, TimePoint now) {
  const Client shown{.description = printable(client.description), .address = printable(client.address)};
  Session session{.id = make_id(now), .user = std::string(user), .client = shown, .begun = now, .used = now};
  SessionBegun begun{.id = session.id, .refresh_token = make_secret(), .made_room = {}};
  const std::scoped_lock lock(state_->mutex);
  std::vector<std::string> leaving = state_->all_over(now);
  const auto others = state_->of(user, now);
  const std::size_t room = state_->options.per_user_max - 1;
  for (std::size_t i = 0; i + room < others.size(); ++i) {
    leaving.push_back(others[i].id);
    begun.made_room.push_back(others[i]);
  }
  auto written = state_->write([&](SQLite::Database& database) {
    for (const std::string& id : leaving) session_table::remove(database, id);
    session_table::insert(database, session, sha256(begun.refresh_token));
  });
  if (!written) return std::unexpected(written.error());
  state_->forget(leaving);
  state_->keep({.session = std::move(session)});
  return begun;
}

Result<Refreshed> Sessions::refresh(std::string_view token, std::string_view address, TimePoint now) {
  if (!is_secret(token)) return Refreshed{};
  const std::string hash = sha256(token);
  std::optional<Token> found;
  const std::scoped_lock lock(state_->mutex);
  auto read =
      state_->store.read([&](SQLite::Database& database) { found = session_table::find_token(database, hash); });
  if (!read) return std::unexpected(read.error());
  const auto known = found ? state_->live.find(found->session) : state_->live.end();
  if (known == state_->live.end()) return Refreshed{};
  const Row& row = known->second;
  if (state_->over(row.session, now)) return state_->ended(RefreshOutcome::over, row.session);
  if (!state_->may_be_renewed(*found, now)) return state_->ended(RefreshOutcome::reused, row.session);
  if (row.refreshes >= state_->options.refreshes_max) return state_->ended(RefreshOutcome::over, row.session);
  return state_->renew(row, hash, address, now);
}

Result<bool> Sessions::end(std::string_view id) {
  const std::scoped_lock lock(state_->mutex);
  if (!state_->live.contains(id)) return false;
  if (auto done = state_->end({std::string(id)}); !done) return std::unexpected(done.error());
  return true;
}

Result<std::size_t> Sessions::end_all(std::string_view user) {
  const std::scoped_lock lock(state_->mutex);
  std::vector<std::string> ids;
  for (const auto& [id, row] : state_->live)
    if (row.session.user == user) ids.push_back(id);
  if (auto done = state_->end(ids); !done) return std::unexpected(done.error());
  return ids.size();
}

bool Sessions::active(std::string_view id, TimePoint now) const {
  const std::scoped_lock lock(state_->live_mutex);
  const auto found = state_->live.find(id);
  return found != state_->live.end() && !state_->over(found->second.session, now);
}

std::vector<Session> Sessions::list(std::string_view user, TimePoint now) const {
  const std::scoped_lock lock(state_->live_mutex);
  return state_->of(user, now);
}

}  // namespace rltune::access
