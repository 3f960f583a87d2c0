#include "rltune/access/certificate.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

class CertificateTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "https.pem"; }
  // Whether openssl takes it for a server of that name.
  int verify(const std::string& option) const {
    const std::string command = "openssl verify -purpose sslserver -CAfile '" + file().string() + "' " + option + " '" +
                                file().string() + "' >/dev/null 2>&1";
    return std::system(command.c_str());
  }

  TemporaryFolder folder_;
  const TimePoint now_ = WallClock().now();
};

TEST_F(CertificateTest, is_taken_by_others_for_its_names_and_no_other) {
  ASSERT_TRUE(make_certificate(file(), {"plant-7.example.com", "localhost", "127.0.0.1", "::1"}, now_));
  EXPECT_EQ(verify("-verify_hostname plant-7.example.com"), 0);
  EXPECT_EQ(verify("-verify_hostname localhost"), 0);
  EXPECT_EQ(verify("-verify_ip 127.0.0.1"), 0);
  EXPECT_EQ(verify("-verify_ip ::1"), 0);
  EXPECT_NE(verify("-verify_hostname another.example.com"), 0);
  EXPECT_NE(verify("-verify_ip 127.0.0.2"), 0);
  EXPECT_EQ(std::filesystem::status(file()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CertificateTest, what_it_says_of_itself_is_read) {
  ASSERT_TRUE(make_certificate(file(), {"plant-7", "10.0.0.7"}, now_, days(100)));
  const auto facts = read_certificate(file());
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->subject, "CN=plant-7");
  EXPECT_EQ(facts->issuer, facts->subject);
  EXPECT_EQ(facts->names, (std::vector<std::string>{"plant-7", "10.0.0.7"}));
  EXPECT_EQ(facts->ends, std::chrono::floor<std::chrono::seconds>(now_ + days(100)));
  EXPECT_LT(facts->begins, now_);
  EXPECT_EQ(facts->fingerprint.size(), 32U * 3 - 1);
  ASSERT_TRUE(make_certificate(file(), {"plant-7"}, now_));
  EXPECT_NE(read_certificate(file())->fingerprint, facts->fingerprint) << "another key each time";
}

TEST_F(CertificateTest, a_name_that_is_none_makes_none) {
  for (const std::string name : {"", "plant 7", "plant,DNS:evil.example.com", "-x", "plänt", "a\nb"})
    EXPECT_EQ(make_certificate(file(), {"localhost", name}, now_).error().code, Errc::invalid_argument) << name;
  EXPECT_FALSE(make_certificate(file(), {}, now_));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(CertificateTest, what_is_none_is_an_error_with_its_file) {
  EXPECT_EQ(read_certificate(file()).error().code, Errc::not_found);
  ASSERT_TRUE(write_file(file(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_NE(read_certificate(file()).error().message.find("https.pem"), std::string::npos);
}

TEST_F(CertificateTest, alarms_come_30_7_and_1_days_before_its_end) {
  EXPECT_EQ(days_alarm(now_ + days(30) + 1s, now_), std::nullopt);
  EXPECT_EQ(days_alarm(now_ + days(30), now_), 30);
  EXPECT_EQ(days_alarm(now_ + days(7), now_), 7);
  EXPECT_EQ(days_alarm(now_ + days(1), now_), 1);
  EXPECT_EQ(days_alarm(now_ + 1s, now_), 1);
  EXPECT_EQ(days_alarm(now_, now_), 0);
}

}  // namespace
}  // namespace rltune::access
