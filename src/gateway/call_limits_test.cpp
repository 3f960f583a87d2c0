#include "call_limits.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRoles = "GET /api/v1/roles";
constexpr const char* kTagList = "GET /api/v1/tags";

class LimitsOfOperations : public GatewayTest {
 protected:
  // Of listTags three at once, and one more every two seconds.
  void limit(const LimitOptions& all = kNoLimits) {
    LimitOptions limits = all;
    limits.operations = {{"listTags", {.per_second = 0.5, .burst = 3.0}}};
    start({.limits = limits});
  }
};

TEST_F(LimitsOfOperations, who_asks_for_what_costs_much_too_often_waits_for_that_alone) {
  limit();
  const std::string viewer = token("viewer"), other = token("operator");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(kTagList, viewer).status, 200) << i;
  const HttpAnswer refused = call(kTagList, viewer);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header_of(refused, "Retry-After"), "2");
  EXPECT_EQ(call(kRoles, viewer).status, 200) << "another operation";
  EXPECT_EQ(call(kTagList, other).status, 200) << "another account at the same address";
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(call(kTagList, viewer).status, 200);
  EXPECT_EQ(call(kTagList, viewer).status, 429);
}

TEST_F(LimitsOfOperations, the_tightest_limit_is_told) {
  limit();
  const std::string viewer = token("viewer");
  const HttpAnswer tags = call(kTagList, viewer);
  EXPECT_EQ(header_of(tags, "RateLimit"), "\"listTags\";r=2;t=2");
  EXPECT_EQ(header_of(tags, "RateLimit-Policy"), "\"listTags\";q=3;w=6");
  EXPECT_THAT(header_of(call(kRoles, viewer), "RateLimit-Policy"), HasSubstr("\"calls\";q=10000;w=10"));
  limit({.rate = {.per_second = 1.0, .burst = 2.0}, .exempt = {}, .operations = {}});
  EXPECT_THAT(header_of(call(kTagList, viewer), "RateLimit"), HasSubstr("\"calls\";r=1;"));
  EXPECT_THAT(header_of(call(kTagList, viewer), "RateLimit"), HasSubstr("\"calls\";r=0;"));
  EXPECT_THAT(header_of(call(kTagList, viewer), "RateLimit"), HasSubstr("\"calls\";r=0;")) << "as it refuses";
}

TEST_F(LimitsOfOperations, who_is_not_signed_in_counts_by_address) {
  LimitOptions limits = kNoLimits;
  limits.operations = {{"oidcLogin", {.per_second = 0.5, .burst = 2.0}}};
  start({.limits = limits});
  const auto ask = [&] { return call("GET /api/v1/auth/oidc/login").status; };
  EXPECT_EQ(ask(), 404) << "no provider";
  EXPECT_EQ(ask(), 404);
  EXPECT_EQ(ask(), 429);
  limits.exempt = {"127.0.0.1"};
  start({.limits = limits});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(), 404);
}

TEST_F(LimitsOfOperations, what_nobody_serves_counts_as_well) {
  start({.limits = {.rate = {.per_second = 1.0, .burst = 2.0}, .exempt = {}, .operations = {}}});
  EXPECT_EQ(call("GET /api/v1/nothing").status, 404);
  EXPECT_EQ(call("GET /nothing").status, 404);
  const HttpAnswer refused = call("GET /nothing");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header_of(refused, "Retry-After"), "1");
}

TEST(OperationRates, those_by_default_are_of_operations_that_there_are) {
  EXPECT_TRUE(unknown_operations(default_operation_rates()).empty());
  EXPECT_EQ(unknown_operations({{"listTags", {}}, {"listTaggs", {}}}), std::vector<std::string>{"listTaggs"});
}

TEST(LimitedAddress, of_ipv6_the_first_64_bits_count) {
  EXPECT_EQ(limited_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(limited_address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(limited_address("2001:db8:1:2::9"), limited_address("2001:db8:1:2:ffff::1"));
}

}  // namespace
}  // namespace rltune::gateway
