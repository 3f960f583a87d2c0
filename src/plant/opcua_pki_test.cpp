#include "rltune/plant/opcua_pki.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::plant {
namespace {

using std::chrono::days;
using testing::HasSubstr;

const TimePoint kNow = *parse_rfc3339("2026-03-01T12:00:00Z");
const std::string kUri = "urn:example:plant:server";

CertificateRequest request(const std::string& uri = kUri) {
  return {.application_uri = uri, .common_name = "test", .hosts = {"localhost", "127.0.0.1"}, .days = 30};
}

class OpcuaPkiTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  OpcuaPki pki_ = *OpcuaPki::open(folder_.path() / "pki");
};

TEST_F(OpcuaPkiTest, makes_a_certificate_once_and_loads_it_afterwards) {
  const auto first = pki_.identity(request(), kNow);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = pki_.identity(request(), kNow);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(first->certificate, second->certificate);
  EXPECT_EQ(first->key, second->key);

  const auto info = read_certificate(first->certificate);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->application_uri, kUri);
  EXPECT_THAT(info->hosts, testing::ElementsAre("localhost", "127.0.0.1"));
  EXPECT_EQ(info->key_bits, 2048);
  EXPECT_LT(info->not_before, kNow);
  EXPECT_GT(info->not_after, kNow + days(29));
}

TEST_F(OpcuaPkiTest, the_private_key_is_readable_by_its_owner_alone) {
  ASSERT_TRUE(pki_.identity(request(), kNow));
  struct stat status{};
  ASSERT_EQ(stat((pki_.folder() / "own" / "key.der").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(OpcuaPkiTest, refuses_its_own_certificate_when_expired_or_of_another_application) {
  ASSERT_TRUE(pki_.identity(request(), kNow));
  const auto late = pki_.identity(request(), kNow + days(31));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::denied);
  EXPECT_THAT(late.error().message, HasSubstr("expired"));
  const auto other = pki_.identity(request("urn:other"), kNow);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::denied);
  EXPECT_THAT(other.error().message, HasSubstr("urn:other"));
}

TEST_F(OpcuaPkiTest, refuses_a_key_of_another_certificate) {
  ASSERT_TRUE(pki_.identity(request(), kNow));
  const auto other = make_identity(request(), kNow);
  ASSERT_TRUE(write_secret_file(pki_.folder() / "own" / "key.der", other->key));
  const auto loaded = pki_.identity(request(), kNow);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("does not belong"));
}

TEST_F(OpcuaPkiTest, accepts_a_peer_only_once_it_is_trusted_and_keeps_the_refused) {
  const auto peer = make_identity(request(), kNow - days(1));
  const auto before = pki_.verify(peer->certificate, kUri, kNow);
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().code, Errc::denied);
  EXPECT_THAT(before.error().message, HasSubstr("not trusted"));
  const auto thumbprint = read_certificate(peer->certificate)->thumbprint;
  const auto kept = pki_.folder() / "rejected" / (thumbprint + ".der");
  ASSERT_TRUE(std::filesystem::exists(kept));
  ASSERT_EQ(pki_.trust(kept).value(), thumbprint);
  const auto after = pki_.verify(peer->certificate, kUri, kNow);
  EXPECT_TRUE(after) << after.error().message;
}

TEST_F(OpcuaPkiTest, refuses_a_trusted_peer_that_expired_or_is_not_valid_yet) {
  const auto peer = make_identity(request(), kNow - days(60));
  ASSERT_TRUE(pki_.trust_der(peer->certificate));
  const auto verdict = pki_.verify(peer->certificate, kUri, kNow);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::denied);
  EXPECT_THAT(verdict.error().message, HasSubstr("expired"));
  const auto early = make_identity(request(), kNow + days(1));
  ASSERT_TRUE(pki_.trust_der(early->certificate));
  EXPECT_THAT(pki_.verify(early->certificate, kUri, kNow).error().message, HasSubstr("not valid before"));
}

TEST_F(OpcuaPkiTest, refuses_a_trusted_peer_of_another_application) {
  const auto peer = make_identity(request("urn:example:plant:server2"), kNow - days(1));
  ASSERT_TRUE(pki_.trust_der(peer->certificate));
  const auto verdict = pki_.verify(peer->certificate, kUri, kNow);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::denied);
  EXPECT_THAT(verdict.error().message, HasSubstr("urn:example:plant:server2"));
}

TEST_F(OpcuaPkiTest, a_trusted_twin_with_the_same_names_vouches_for_nobody) {
  const auto trusted = make_identity(request(), kNow - days(1));
  const auto impostor = make_identity(request(), kNow - days(1));
  ASSERT_TRUE(pki_.trust_der(trusted->certificate));
  EXPECT_FALSE(pki_.verify(impostor->certificate, kUri, kNow));
}

TEST_F(OpcuaPkiTest, names_cannot_smuggle_in_others) {
  auto bad = request("urn:a,URI:urn:b");
  EXPECT_EQ(make_identity(bad, kNow).error().code, Errc::invalid_argument);
  bad = request();
  bad.hosts = {"localhost,DNS:evil"};
  EXPECT_EQ(make_identity(bad, kNow).error().code, Errc::invalid_argument);
}

TEST_F(OpcuaPkiTest, bytes_that_are_no_certificate_are_named) {
  EXPECT_EQ(read_certificate("garbage").error().code, Errc::parse);
  EXPECT_EQ(pki_.verify("garbage", kUri, kNow).error().code, Errc::denied);
  ASSERT_TRUE(write_file(pki_.folder() / "trusted" / "x.der", "garbage"));
  EXPECT_THAT(pki_.trusted().error().message, HasSubstr("x.der"));
}

}  // namespace
}  // namespace rltune::plant
