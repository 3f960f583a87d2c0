#include "rltune/plant/make_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::plant {
namespace {

using ::testing::HasSubstr;

config::Link link() {
  config::Link link;
  link.url = "opc.tcp://127.0.0.1:4840";
  link.pki = "pki";
  link.user = "operator";
  link.publishing_interval_ms = 250.0;
  return link;
}

TEST(MakeLink, takes_over_what_is_configured) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_secret_file(folder.path() / "password", "secret\n"));
  auto configured = link();
  configured.password_file = "password";
  const auto options = opcua_options(configured, folder.path());
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->password, "secret");
  EXPECT_EQ(options->pki, folder.path() / "pki");
  EXPECT_EQ(options->publishing_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(options->security, "Basic256Sha256");
  EXPECT_TRUE(make_link(configured, folder.path()));
}

TEST(MakeLink, takes_a_password_from_the_environment) {
  auto configured = link();
  configured.password_env = "RLTUNE_TEST_PASSWORD";
  ::unsetenv("RLTUNE_TEST_PASSWORD");
  EXPECT_THAT(make_link(configured).error().message, HasSubstr("RLTUNE_TEST_PASSWORD"));
  ::setenv("RLTUNE_TEST_PASSWORD", "secret", 1);
  EXPECT_EQ(opcua_options(configured)->password, "secret");
}

TEST(MakeLink, refuses_secrets_that_others_can_read_and_protocols_it_has_not) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder.path() / "password", "secret"));
  std::filesystem::permissions(folder.path() / "password", std::filesystem::perms(0644));
  auto configured = link();
  configured.password_file = "password";
  EXPECT_EQ(make_link(configured, folder.path()).error().code, Errc::denied);
  configured.password_file.clear();
  EXPECT_EQ(make_link(configured).error().code, Errc::not_found);
  configured.protocol = "bacnet";
  EXPECT_EQ(make_link(configured).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace rltune::plant
