#include "rltune/access/verified_tokens.hpp"

#include <sodium.h>

#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

constexpr std::size_t kParts = 16;

using Digest = std::array<unsigned char, 32>;

struct Hash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }
};

Digest digest_of(std::string_view token) {
  Digest digest{};
  ::crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                       nullptr, 0);
  return digest;
}

struct Known {
  std::shared_ptr<const Claims> claims;
  std::uint64_t of = 0;  // KeyRing::losses() when it was verified
};

// Those used lately, and those used before: when the first are many, they become the second, and the second are gone.
class Part {
 public:
  std::optional<Known> find(const Digest& digest, std::size_t most) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = lately_.find(digest); found != lately_.end()) return found->second;
    const auto found = before_.find(digest);
    if (found == before_.end()) return std::nullopt;
    Known known = found->second;
    before_.erase(found);
    put_locked(digest, known, most);
    return known;
  }
  void put(const Digest& digest, Known known, std::size_t most) {
    const std::scoped_lock lock(mutex_);
    before_.erase(digest);
    put_locked(digest, std::move(known), most);
  }
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return lately_.size() + before_.size();
  }

 private:
  void put_locked(const Digest& digest, Known known, std::size_t most) {
    if (lately_.size() >= most / 2) {
      before_ = std::move(lately_);
      lately_.clear();
    }
    lately_.insert_or_assign(digest, std::move(known));
  }

  mutable std::mutex mutex_;
  std::unordered_map<Digest, Known, Hash> lately_, before_;
};

}  // namespace

struct VerifiedTokens::State {
  const KeyRing& keys;
  const Expected expected;
  const std::size_t most_of_part;
  std::array<Part, kParts> parts;
};

VerifiedTokens::VerifiedTokens(const KeyRing& keys, Expected expected, std::size_t remembered) {
  RLTUNE_CHECK(::sodium_init() >= 0 && remembered >= 2 * kParts);
  state_.reset(new State{keys, std::move(expected), remembered / kParts, {}});
}

VerifiedTokens::~VerifiedTokens() = default;

Result<std::shared_ptr<const Claims>> VerifiedTokens::verify(std::string_view token, TimePoint now) {
  if (token.size() > kTokenBytesMax) return fail(Errc::denied, "it is too long");
  const Digest digest = digest_of(token);
  Part& part = state_->parts[digest.back() % kParts];
  const std::uint64_t losses = state_->keys.losses();
  if (const auto known = part.find(digest, state_->most_of_part); known && known->of == losses) {
    if (known->claims->expires <= now - state_->expected.leeway) return fail(Errc::denied, "it has ended");
    return known->claims;
  }
  auto claims = verify_token(token, state_->keys, state_->expected, now);
  if (!claims) return std::unexpected(claims.error());
  Known known{std::make_shared<const Claims>(std::move(*claims)), losses};
  auto given = known.claims;
  part.put(digest, std::move(known), state_->most_of_part);
  return given;
}

std::size_t VerifiedTokens::remembered() const {
  std::size_t sum = 0;
  for (const Part& part : state_->parts) sum += part.size();
  return sum;
}

}  // namespace rltune::access
