// How often somebody may call: an address, whatever it asks for; an account, from wherever; and either of them one
// operation that costs more than others.
//
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/access/rate_limiter.hpp"
#include "rltune/api/operation.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/webserver/request.hpp"

namespace rltune::gateway {

using OperationRates = std::map<std::string, access::Rate, std::less<>>;  // by the operation's id

// Of the operations that read much or compute long: their threads are shared by everybody who reads.
OperationRates default_operation_rates();

struct LimitOptions {
  access::Rate rate{.per_second = 50.0, .burst = 200.0};  // of an address, and of an account
  std::set<std::string> exempt;                           // addresses without a limit
  OperationRates operations;                              // of an account; of an address where nobody is signed in
};

// The tightest limit that a call met, for its answer: which may be that it is refused.
struct LimitMet {
  std::string_view policy;  // "calls", or the operation
  access::Rate rate;
  access::RateVerdict verdict;
};

class CallLimits {
 public:
  // Of names that no operation has nothing comes: unknown_operations() finds them. The clock outlives it.
  CallLimits(LimitOptions options, const Clock& clock);

  // False: it was one too many. `met` is then that limit, otherwise the tightest so far.
  bool take_address(const std::string& address, std::optional<LimitMet>& met);
  bool take_account(const std::string& account, const std::string& address, std::optional<LimitMet>& met);
  bool take_operation(const api::Operation& operation, const std::string& who, const std::string& address,
                      std::optional<LimitMet>& met);

  // RateLimit and RateLimit-Policy, and Retry-After where the call was refused.
  static void tell(const std::optional<LimitMet>& met, std::map<std::string, std::string>& headers);

 private:
  struct Limited {
    explicit Limited(const access::Rate& at) : rate(at), limiter(at) {}
    access::Rate rate;
    access::RateLimiter limiter;
  };
  bool take(access::RateLimiter& limiter, std::string_view policy, const access::Rate& rate, const std::string& key,
            const std::string& address, std::optional<LimitMet>& met) const;

  const LimitOptions options_;
  const Clock& clock_;
  access::RateLimiter addresses_, accounts_;
  std::vector<std::unique_ptr<Limited>> operations_;  // as api::operations(); nullptr: no limit of its own
};

// Names that no operation has.
std::vector<std::string> unknown_operations(const OperationRates& rates);

// Of an IPv6 address the first 64 bits, as nobody has fewer; an IPv4 address as it is.
std::string limited_address(const std::string& address);

inline constexpr const char* kTooMany = "too many calls; Retry-After says when there is room again";

}  // namespace rltune::gateway
