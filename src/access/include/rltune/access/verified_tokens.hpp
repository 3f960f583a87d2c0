// Verifies tokens, and remembers those that were good: a signature costs a hundred times what looking it up does.
//
// What is remembered is a hash of the token, so that memory holds none. A token is looked at anew when a key of the
// ring was revoked or forgotten since; its end is looked at every time. Threads: any.
#pragma once

#include <memory>

#include "rltune/access/token.hpp"

namespace rltune::access {

class VerifiedTokens {
 public:
  // `keys` outlives it. At most `remembered` tokens are.
  VerifiedTokens(const KeyRing& keys, Expected expected, std::size_t remembered = 10'000);
  ~VerifiedTokens();
  VerifiedTokens(const VerifiedTokens&) = delete;
  VerifiedTokens& operator=(const VerifiedTokens&) = delete;

  // Errors: as verify_token().
  Result<std::shared_ptr<const Claims>> verify(std::string_view token, TimePoint now);

  std::size_t remembered() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
