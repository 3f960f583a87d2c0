#include "certificates.hpp"

#include <gtest/gtest.h>

#include "rltune/access/certificate.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

class CertificatesTest : public testing::Test {
 protected:
  CertificatesTest() {
    site_.folder = folder_.path();
    site_.gateway.enabled = true;
    site_.link.pki = "pki";
  }
  void make(const std::filesystem::path& file, int days) const {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    ASSERT_TRUE(access::make_certificate(folder_.path() / file, {"plant-7"}, now_, std::chrono::days(days)));
  }
  v1::CertificatesAnswer list() const { return list_certificates(site_, telemetry_); }

  TemporaryFolder folder_;
  TimePoint now_ = WallClock().now();
  config::Site site_;
  config::Telemetry telemetry_;
};

TEST_F(CertificatesTest, all_that_the_site_uses_are_in_one_list) {
  make("data/access/certificate.pem", 397);
  make("pki/trusted/b.pem", 20);
  make("pki/trusted/a.pem", 5);
  make("cloud.pem", 1);
  config::Sink sink;
  sink.name = "cloud";
  sink.certificate_file = "cloud.pem";
  telemetry_.sinks.push_back(sink);
  const auto found = list();
  ASSERT_EQ(found.certificates_size(), 4);
  EXPECT_EQ(found.certificates(0).name(), "gateway");
  EXPECT_EQ(found.certificates(0).subject(), "CN=plant-7");
  EXPECT_EQ(found.certificates(1).name(), "plant: a.pem");
  EXPECT_EQ(found.certificates(2).name(), "plant: b.pem");
  EXPECT_EQ(found.certificates(3).name(), "sink cloud: client");
  metrics::Registry registry{"test"};
  show_certificates(found, registry, now_);
  EXPECT_NEAR(registry.gauge("rltune_role_certificate_days_left", "", {{"certificate", "plant: a.pem"}}).value(), 5.0,
              0.01);
}

TEST_F(CertificatesTest, the_plants_next_one_is_listed_and_waits_until_it_is_in_use) {
  site_.gateway.enabled = false;
  metrics::Registry registry{"test"};
  const auto waiting = [&] {
    show_certificates(list(), registry, now_);
    return registry.gauge("rltune_role_certificate_waiting", "", {{"certificate", "plant: ours, next"}}).value();
  };
  const auto days_left = [&] {
    return registry.gauge("rltune_role_certificate_days_left", "", {{"certificate", "plant: ours"}}).value();
  };
  make("pki/own/cert.der", 6);
  EXPECT_EQ(waiting(), 0.0);
  EXPECT_LT(days_left(), 7.0);
  make("pki/own/next.der", 3650);
  EXPECT_EQ(list().certificates_size(), 2);
  EXPECT_EQ(list().certificates(1).name(), "plant: ours, next");
  EXPECT_EQ(waiting(), 1.0);
  std::filesystem::rename(folder_.path() / "pki/own/next.der", folder_.path() / "pki/own/cert.der");
  EXPECT_EQ(waiting(), 0.0);
  EXPECT_GT(days_left(), 30.0) << "the alarms clear";
}

TEST_F(CertificatesTest, what_is_not_made_yet_is_not_there_and_what_is_damaged_says_so) {
  EXPECT_EQ(list().certificates_size(), 0);
  site_.gateway.certificate_file = "given.pem";
  ASSERT_EQ(list().certificates_size(), 1);
  EXPECT_NE(list().certificates(0).trouble(), "");
  ASSERT_TRUE(write_file(folder_.path() / "given.pem", "nothing of the kind"));
  EXPECT_NE(list().certificates(0).trouble().find("no certificate"), std::string::npos);
}

}  // namespace
}  // namespace rltune::coredinator
