#include "call_limits.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::gateway {
namespace {

std::string whole_seconds(Duration duration) { return std::format("{:.0f}", std::ceil(to_seconds(duration))); }

}  // namespace

OperationRates default_operation_rates() {
  OperationRates rates{
      {"verifyAudit", {.per_second = 0.2, .burst = 5.0}},      // the whole log is read and every signature checked
      {"replayDecision", {.per_second = 2.0, .burst = 20.0}},  // a policy is loaded and asked again
      {"planConfig", {.per_second = 2.0, .burst = 20.0}},      // two configurations are read and compared
      {"changeConfig", {.per_second = 2.0, .burst = 20.0}},
  };
  // Pages of up to 10,000 entries out of files.
  for (const char* reading : {"listSamples", "listRollups", "listDecisions", "listAudit", "searchLogs"})
    rates[reading] = {.per_second = 10.0, .burst = 50.0};
  RLTUNE_CHECK(unknown_operations(rates).empty());
  return rates;
}

std::vector<std::string> unknown_operations(const OperationRates& rates) {
  std::vector<std::string> unknown;
  for (const auto& [name, rate] : rates)
    if (std::ranges::find(api::operations(), name, &api::Operation::id) == api::operations().end())
      unknown.push_back(name);
  return unknown;
}

std::string limited_address(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return address;
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return std::string(text.data()) + "/64";
}

CallLimits::CallLimits(LimitOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), addresses_(options_.rate), accounts_(options_.rate) {
  for (const api::Operation& operation : api::operations()) {
    const auto found = options_.operations.find(operation.id);
    operations_.push_back(found == options_.operations.end() ? nullptr : std::make_unique<Limited>(found->second));
  }
}

bool CallLimits::take_address(const std::string& address, std::optional<LimitMet>& met) {
  return take(addresses_, "calls", options_.rate, limited_address(address), address, met);
}

bool CallLimits::take_account(const std::string& account, const std::string& address, std::optional<LimitMet>& met) {
  return take(accounts_, "calls", options_.rate, account, address, met);
}

bool CallLimits::take_operation(const api::Operation& operation, const std::string& who, const std::string& address,
                                std::optional<LimitMet>& met) {
  const auto& limited = operations_[static_cast<std::size_t>(&operation - api::operations().data())];
  return !limited || take(limited->limiter, operation.id, limited->rate, who, address, met);
}

bool CallLimits::take(access::RateLimiter& limiter, std::string_view policy, const access::Rate& rate,
                      const std::string& key, const std::string& address, std::optional<LimitMet>& met) const {
  if (options_.exempt.contains(address)) return true;
  const access::RateVerdict verdict = limiter.take(key, clock_.steady());
  if (!met || !verdict.allowed || verdict.remaining < met->verdict.remaining) met = LimitMet{policy, rate, verdict};
  return verdict.allowed;
}

void CallLimits::tell(const std::optional<LimitMet>& met, std::map<std::string, std::string>& headers) {
  if (!met) return;
  headers["RateLimit-Policy"] = std::format("\"{}\";q={:.0f};w={:.0f}", met->policy, met->rate.burst,
                                            std::ceil(met->rate.burst / met->rate.per_second));
  headers["RateLimit"] =
      std::format("\"{}\";r={};t={}", met->policy, met->verdict.remaining, whole_seconds(met->verdict.full_after));
  if (!met->verdict.allowed) headers["Retry-After"] = whole_seconds(met->verdict.retry_after);
}

}  // namespace rltune::gateway
