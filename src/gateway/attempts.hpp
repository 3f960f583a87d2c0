// Attempts to sign in at a provider: each belongs to the browser that began it, lasts ten minutes and works once.
//
// The browser keeps it, in a cookie, and we keep nothing until it comes back: a flood of attempts costs no memory, and
// nobody's pushes out another's. The cookie holds a time and a random text; state, nonce and verifier are keyed hashes
// of it, so that whoever has only the URL, the code or the answer of the provider has nothing, and a link that somebody
// else began signs nobody in. Those that came back are remembered until they are over. A restart ends them all.
//
// Threads: any.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "keyed_hash.hpp"
#include "rltune/base/time.hpp"

namespace rltune::gateway {

inline constexpr std::chrono::seconds kAttemptLife = std::chrono::minutes(10);

struct Attempt {
  std::string cookie;
  std::string state, nonce;
  std::string verifier;  // of PKCE (RFC 7636): 64 of its letters

  std::string challenge() const;  // S256
};

class Attempts {
 public:
  // `used_max`: so many may come back within ten minutes; beyond that none does.
  explicit Attempts(std::size_t used_max = 100'000) : used_max_(used_max) {}

  Attempt begin(TimePoint now) const;
  // nullopt: not begun here, not by that browser, over, or taken before.
  std::optional<Attempt> take(std::string_view cookie, std::string_view state, TimePoint now);

 private:
  Attempt of(std::string_view cookie) const;

  const std::size_t used_max_;
  const KeyedHash hash_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> used_;
  std::deque<std::pair<TimePoint, std::string>> order_;  // when it may be forgotten
};

}  // namespace rltune::gateway
