#include "rltune/access/lockout.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

using Key = std::uint64_t;

struct Count {
  Key key = 0;
  unsigned attempts = 0;
  Duration last{};
};

// Counts that are forgotten `life` after they were touched last, and the oldest of them where there is no room.
class Counts {
 public:
  Counts(Duration life, std::size_t keys_max) : life_(life), keys_max_(std::max<std::size_t>(keys_max, 1)) {}

  unsigned attempts(Key key, Duration now) {
    forget(now);
    const auto found = places_.find(key);
    return found == places_.end() ? 0 : found->second->attempts;
  }

  // REQUIRES: there is such a count.
  Duration until_forgotten(Key key, Duration now) const { return places_.at(key)->last + life_ - now; }

  void add(Key key, Duration now) {
    forget(now);
    if (!places_.contains(key)) {
      if (counts_.size() >= keys_max_) erase(counts_.front().key);
      places_[key] = counts_.insert(counts_.end(), {.key = key});
    }
    const auto place = places_.at(key);
    counts_.splice(counts_.end(), counts_, place);
    ++place->attempts;
    place->last = now;
  }

  void take_back_one(Key key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    if (--found->second->attempts == 0) erase(key);
  }

  void erase(Key key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    counts_.erase(found->second);
    places_.erase(found);
  }

 private:
  void forget(Duration now) {
    while (!counts_.empty() && now - counts_.front().last >= life_) erase(counts_.front().key);
  }

  Duration life_;
  std::size_t keys_max_;
  std::list<Count> counts_;  // the one touched longest ago first
  std::unordered_map<Key, std::list<Count>::iterator> places_;
};

}  // namespace

struct Lockout::State {
  explicit State(const LockoutOptions& with)
      : options(with),
        pairs(with.lock_for, with.keys_max),
        accounts(with.lock_for, with.keys_max),
        addresses(with.lock_for, with.keys_max),
        known(with.known_for, with.keys_max) {
    RLTUNE_CHECK(::sodium_init() >= 0);
    ::crypto_shorthash_keygen(hash_key.data());
  }

  Key key_of(std::string_view text) const {
    Key key = 0;
    ::crypto_shorthash(reinterpret_cast<unsigned char*>(&key), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size(), hash_key.data());
    return key;
  }

  // The length tells where the one ends.
  Key pair_of(std::string_view account, std::string_view address) const {
    return key_of(std::to_string(account.size()) + ":" + std::string(account) + std::string(address));
  }

  struct Limit {
    Counts* counts;
    Key key;
    unsigned most;
  };
  std::array<Limit, 3> limits(std::string_view account, std::string_view address) {
    return {Limit{&pairs, pair_of(account, address), options.attempts_max},
            Limit{&accounts, key_of(account), options.account_max},
            Limit{&addresses, key_of(address), options.address_max}};
  }

  const LockoutOptions options;
  std::array<unsigned char, crypto_shorthash_KEYBYTES> hash_key{};
  static_assert(crypto_shorthash_BYTES == sizeof(Key));
  std::mutex mutex;
  Counts pairs, accounts, addresses, known;
};

Lockout::Lockout(const LockoutOptions& options) {
  RLTUNE_CHECK(options.attempts_max >= 1 && options.lock_for > Duration{} && options.known_for >= Duration{});
  RLTUNE_CHECK(options.account_max >= options.attempts_max && options.address_max >= options.attempts_max);
  state_ = std::make_unique<State>(options);
}

Lockout::~Lockout() = default;

AttemptVerdict Lockout::attempt(std::string_view account, std::string_view address, Duration now) {
  const std::scoped_lock lock(state_->mutex);
  const auto limits = state_->limits(account, address);
  const bool known = state_->known.attempts(limits.front().key, now) > 0;
  const std::span binding(limits.data(), known ? 1 : limits.size());
  AttemptVerdict verdict{.allowed = true, .left = state_->options.attempts_max};
  for (const auto& [counts, key, most] : binding) {
    const unsigned before = counts->attempts(key, now);
    if (before < most) {
      verdict.left = std::min(verdict.left, most - before - 1);
      continue;
    }
    verdict.allowed = false;
    verdict.retry_after = std::max(verdict.retry_after, counts->until_forgotten(key, now));
  }
  if (!verdict.allowed) return {.retry_after = verdict.retry_after};
  for (const auto& [counts, key, most] : binding) counts->add(key, now);
  return verdict;
}

void Lockout::right(std::string_view account, std::string_view address, Duration now) {
  const std::scoped_lock lock(state_->mutex);
  const auto [pair, whole_account, whole_address] = state_->limits(account, address);
  pair.counts->erase(pair.key);
  whole_account.counts->erase(whole_account.key);
  if (state_->known.attempts(pair.key, now) == 0) whole_address.counts->take_back_one(whole_address.key);
  state_->known.add(pair.key, now);
}

}  // namespace rltune::access
