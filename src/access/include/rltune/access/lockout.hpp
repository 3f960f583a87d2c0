// Wrong passwords: after `attempts_max` in a row the door stays shut for `lock_for`. Three things are counted, since
// each alone fails in its own way:
//
//   account at an address   attempts_max    a person who mistypes, or one who guesses: nobody else is locked
//   account, from anywhere  account_max     one who guesses from many addresses
//   address, any account    address_max     one who tries a common password on every account
//
// The last two could be used to lock others out, so they are higher, and they do not bind an account at an address
// where it has signed in within `known_for`: to lock a person out of the usual place takes attempts from that very
// place. The price: whoever shares that address has attempts_max guesses at that account every `lock_for`, also while
// it is locked elsewhere. A person at a new address while somebody guesses has to wait, or takes an address known to
// the site.
//
// An attempt is counted when it begins and forgiven when it was right: any number of them at once are no more than so
// many in a row. What is refused is not counted, so a lock ends by itself. After `lock_for` without an attempt its
// count begins anew.
//
// In memory alone: a restart forgets it. Memory is bounded: beyond `keys_max` the count not touched for longest is
// forgotten, so that many guesses made for it buy an attacker attempts_max more. Names are not kept, only a keyed hash:
// people type passwords where names belong. Threads: any.
#pragma once

#include <memory>
#include <string_view>

#include "rltune/base/time.hpp"

namespace rltune::access {

struct LockoutOptions {
  unsigned attempts_max = 5;                     // users.yaml: sign_in.attempts_max, >= 1
  Duration lock_for = std::chrono::minutes(15);  // users.yaml: sign_in.lockout_minutes, > 0
  unsigned account_max = 50;                     // both >= attempts_max
  unsigned address_max = 50;
  Duration known_for = std::chrono::hours(30 * 24);
  std::size_t keys_max = 100'000;  // of each of the three, and of the known places
};

struct AttemptVerdict {
  bool allowed = false;
  unsigned left = 0;       // more attempts that would be allowed if this one is wrong; 0: it then locks
  Duration retry_after{};  // zero where it is allowed
};

class Lockout {
 public:
  // REQUIRES: the options are in their ranges.
  explicit Lockout(const LockoutOptions& options);
  ~Lockout();
  Lockout(const Lockout&) = delete;
  Lockout& operator=(const Lockout&) = delete;

  // Before the password is looked at; it is not looked at where this is refused. The account as it was typed, whether
  // there is one or not (in one case, if case does not matter); of an IPv6 address the first 64 bits, as nobody has
  // fewer. `now`: Clock::steady.
  AttemptVerdict attempt(std::string_view account, std::string_view address, Duration now);
  // It was right, the second factor as well where there is one: the counts of the account begin anew, and the address
  // is known. That of the address alone loses this one attempt only, or whoever has one account could guess at all
  // others.
  void right(std::string_view account, std::string_view address, Duration now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
