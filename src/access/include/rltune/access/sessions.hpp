// Who is signed in, from where, and until when. A session is begun once a person has shown who it is; it goes on by
// refresh tokens, each good for one refresh (RFC 9700, 4.14.2), and ends after `life`, when it is not refreshed for
// `idle_life`, or when somebody ends it.
//
// A refresh token that was used before and is shown again means that two have it, and nobody knows which of them is the
// thief: the whole session ends, and the caller hears of it as of nothing else. A client whose answer was lost looks
// just the same. It is treated so too unless `lost_answer_leeway` says otherwise: who lost an answer signs in again,
// and a client must not refresh twice at once. With a leeway the token used last may come once more within it, as long
// as the token it was changed for was not used; that one is then good for nothing, so that if two do have the token,
// the other's next refresh ends the session: a theft is seen one refresh later, never not at all.
//
// Kept in one SQLite file (0600), tokens as SHA-256 alone. Whatever is answered is on the disk before, so that no kill
// brings back a session that was ended or a token that was used; an old copy of the file would, so it is no part of a
// backup. A damaged file is put aside, and everybody signs in again. One process has the file.
//
// Bounded: `per_user_max` sessions a user, the one begun first ends for a new one; `refreshes_max` refreshes a session,
// since each leaves a hash by which its second use is known; sessions that are over are removed when another begins.
//
// Threads: any. active() and list() look into memory alone and wait for no disk. Times are of Clock::now; a clock that
// goes back prolongs sessions by as much.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

struct SessionOptions {
  std::filesystem::path file;
  Duration life = std::chrono::hours(30 * 24);
  Duration idle_life = std::chrono::hours(12);  // users.yaml: sign_in.session_hours; longer than an access token lives
  Duration lost_answer_leeway{};
  std::size_t per_user_max = 10;  // >= 1
  std::uint32_t refreshes_max = 10'000;
};

// As it says of itself, so it is to be shown and not believed. Kept as at most 200 bytes of printable UTF-8 each.
struct Client {
  std::string description;  // "Firefox on Linux"
  std::string address;

  friend bool operator==(const Client&, const Client&) = default;
};

struct Session {
  std::string id;  // no secret: it stands in tokens and logs
  std::string user;
  Client client;
  TimePoint begun{}, used{};  // used: begun or refreshed last

  friend bool operator==(const Session&, const Session&) = default;
};

struct SessionBegun {
  std::string id;
  std::string refresh_token;       // 43 letters of base64url
  std::vector<Session> made_room;  // sessions of the same user that ended for it
};

enum class RefreshOutcome : std::uint8_t {
  renewed,
  unknown,  // no token of a session that there is
  over,     // the session had its life, was idle for too long or was refreshed too often; it has ended
  reused,   // the token was used before: the session has ended; for the audit log
};

struct Refreshed {
  RefreshOutcome outcome = RefreshOutcome::unknown;
  Session session;            // empty where it is unknown
  std::string refresh_token;  // where it is renewed
};

class Sessions {
 public:
  // REQUIRES: per_user_max >= 1. Errors: timeout: another process has the file; unsupported: a later version's file;
  // io; denied; no_space.
  static Result<Sessions> open(SessionOptions options, TimePoint now);
  Sessions(Sessions&&) noexcept;
  ~Sessions();

  // Errors: io, no_space, denied; nothing has begun then.
  Result<SessionBegun> begin(std::string_view user, Client client, TimePoint now);
  // `address`: where the token comes from now. Errors: as begin(); the token may then be good or used, and showing it
  // again finds out.
  Result<Refreshed> refresh(std::string_view token, std::string_view address, TimePoint now);

  // True: there was one. Errors: as begin(). Also then it is refused from now on by this process, and the disk is tried
  // again with the next change; a restart before that would bring it back.
  Result<bool> end(std::string_view id);
  // How many there were. Errors: as end().
  Result<std::size_t> end_all(std::string_view user);

  // For every request.
  bool active(std::string_view id, TimePoint now) const;
  // Those that are not over, by the time they began.
  std::vector<Session> list(std::string_view user, TimePoint now) const;

 private:
  struct State;
  explicit Sessions(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
