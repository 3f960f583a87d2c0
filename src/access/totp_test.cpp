#include "rltune/access/totp.hpp"

#include <gtest/gtest.h>

namespace rltune::access {
namespace {

// "12345678901234567890" of RFC 4226, appendix D, and RFC 6238, appendix B.
constexpr const char* kSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

TimePoint at(std::int64_t seconds) { return TimePoint(std::chrono::seconds(seconds)); }

TEST(Totp, of_the_standards) {
  for (const auto& [step, code] : {std::pair{0, "755224"}, {1, "287082"}, {2, "359152"}, {9, "520489"}})
    EXPECT_EQ(totp_code(kSecret, static_cast<std::uint64_t>(step)).value(), code);
  for (const auto& [seconds, code] : {std::pair{59LL, "94287082"},
                                      {1111111109LL, "07081804"},
                                      {1111111111LL, "14050471"},
                                      {1234567890LL, "89005924"},
                                      {2000000000LL, "69279037"},
                                      {20000000000LL, "65353130"}})
    EXPECT_EQ(totp_code(kSecret, static_cast<std::uint64_t>(seconds / 30), 8).value(), code);
}

TEST(Totp, a_code_is_taken_in_its_step_and_the_two_beside_it_and_once) {
  const std::string code = totp_code(kSecret, 100).value();
  EXPECT_EQ(check_totp(kSecret, code, at(3000), 0).value(), 100U);
  EXPECT_EQ(check_totp(kSecret, code, at(2999), 0).value(), 100U) << "a clock that is late";
  EXPECT_EQ(check_totp(kSecret, code, at(3059), 0).value(), 100U) << "a person who is slow";
  EXPECT_EQ(check_totp(kSecret, code, at(3060), 0).value(), std::nullopt);
  EXPECT_EQ(check_totp(kSecret, code, at(2969), 0).value(), std::nullopt);
  EXPECT_EQ(check_totp(kSecret, code, at(3000), 100).value(), std::nullopt) << "taken before";
  EXPECT_EQ(check_totp(kSecret, code, at(3000), 101).value(), std::nullopt) << "a later one was taken";
}

TEST(Totp, what_is_no_code_is_wrong) {
  for (const char* code : {"", "0", "00000", "1234567", "abcdef"})
    EXPECT_EQ(check_totp(kSecret, code, at(3000), 0).value(), std::nullopt) << code;
}

TEST(Totp, a_secret_is_random_and_may_be_written_in_groups_of_small_letters) {
  const std::string secret = make_totp_secret();
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_NE(secret, make_totp_secret());
  EXPECT_EQ(totp_code("gezd gnbv gy3t qojq gezd gnbv gy3t qojq", 1).value(), "287082");
  EXPECT_EQ(totp_code("GEZDGNBVGY3TQOJ1", 1).error().code, Errc::parse);
  EXPECT_EQ(totp_code("GEZD", 1).error().code, Errc::parse);
}

TEST(Totp, its_uri_is_what_apps_read) {
  EXPECT_EQ(totp_uri("GEZD", "ada lovelace"), "otpauth://totp/RLTune:ada%20lovelace?secret=GEZD&issuer=RLTune");
}

}  // namespace
}  // namespace rltune::access
