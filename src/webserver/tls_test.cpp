#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "certificates.hpp"
#include "rltune/base/file.hpp"
#include "rltune/http/client.hpp"
#include "rltune/webserver/server.hpp"
#include "temporary_folder.hpp"

namespace rltune::webserver {
namespace {

using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(rltune::testing::make_certificates(folder_.path())); }
  static std::filesystem::path file(const std::string& name) { return folder_.path() / name; }

  static Options options() { return {.certificate_file = file("server.pem"), .key_file = file("server.key")}; }
  static Options asking() {
    Options with = options();
    with.client_ca_file = file("ca.pem");
    return with;
  }
  static Result<Server> start(const Options& options) {
    return Server::start(options, {{"POST", "/echo", [](const Request& request, const Reply& reply) {
                                      reply({.body = std::string(request.body), .type = "text/plain"});
                                    }}});
  }
  static Result<http::Response> send(const Server& server, const http::ClientOptions& with, std::string body) {
    http::Client client(with);
    return client.send(
        {.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/echo", .body = std::move(body)});
  }
  // What openssl's own client says of a connection.
  static int s_client(const Server& server, const std::string& more) {
    const std::string command = "openssl s_client -brief -connect 127.0.0.1:" + std::to_string(server.port()) +
                                " -CAfile " + file("ca.pem").string() + " " + more + " </dev/null >" +
                                file("said").string() + " 2>&1";
    return std::system(command.c_str());
  }

  static inline TemporaryFolder folder_;
};

TEST_F(TlsTest, a_body_larger_than_many_records_of_tls_comes_and_goes_whole) {
  const auto server = start(options());
  ASSERT_TRUE(server) << server.error().message;
  const std::string body(3'000'000, 'x');
  const auto answer = send(*server, {.ca_file = file("ca.pem")}, body);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, body);
}

TEST_F(TlsTest, a_new_certificate_is_for_who_comes_and_takes_nothing_from_who_is_there) {
  const std::filesystem::path next = folder_.path() / "next";
  std::filesystem::create_directory(next);
  ASSERT_TRUE(rltune::testing::make_certificates(next));
  const auto copy = [](const std::filesystem::path& from) {
    for (const char* name : {"pem", "key"})
      std::filesystem::copy_file(from / (std::string("server.") + name), file(std::string("shown.") + name),
                                 std::filesystem::copy_options::overwrite_existing);
  };
  copy(folder_.path());
  auto server = start({.certificate_file = file("shown.pem"), .key_file = file("shown.key")});
  ASSERT_TRUE(server) << server.error().message;
  http::Client there({.ca_file = file("ca.pem")});
  const http::Request request{.url = "https://127.0.0.1:" + std::to_string(server->port()) + "/echo", .body = "x"};
  ASSERT_TRUE(there.send(request));
  copy(next);
  ASSERT_TRUE(server->take_certificate());
  EXPECT_TRUE(there.send(request)) << "over the connection that was there";
  EXPECT_FALSE(send(*server, {.ca_file = file("ca.pem")}, "x")) << "the authority of before";
  EXPECT_TRUE(send(*server, {.ca_file = next / "ca.pem"}, "x"));
  ASSERT_TRUE(write_file(file("shown.pem"), "nothing of the kind"));
  EXPECT_FALSE(server->take_certificate());
  EXPECT_TRUE(send(*server, {.ca_file = next / "ca.pem"}, "x")) << "the one of before stays";
}

TEST_F(TlsTest, who_does_not_know_the_authority_does_not_speak_to_it) {
  const auto server = start(options());
  ASSERT_TRUE(server);
  EXPECT_EQ(send(*server, {.ca_file = file("other-ca.pem")}, "x").error().code, Errc::denied);
}

TEST_F(TlsTest, it_is_tls_1_3_and_nothing_older) {
  const auto server = start(options());
  ASSERT_TRUE(server);
  EXPECT_EQ(s_client(*server, "-tls1_3"), 0) << read_file(file("said")).value_or("");
  EXPECT_THAT(read_file(file("said")).value_or(""), HasSubstr("TLSv1.3"));
  EXPECT_NE(s_client(*server, "-tls1_2"), 0);
}

TEST_F(TlsTest, where_an_authority_for_clients_is_given_a_certificate_from_it_is_needed) {
  const auto server = start(asking());
  ASSERT_TRUE(server);
  const http::ClientOptions with{
      .ca_file = file("ca.pem"), .certificate_file = file("client.pem"), .key_file = file("client.key")};
  const auto answer = send(*server, with, "hello");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "hello");
  EXPECT_FALSE(send(*server, {.ca_file = file("ca.pem")}, "hello"));
}

TEST_F(TlsTest, a_certificate_that_another_authority_signed_is_refused) {
  Options with = asking();
  with.client_ca_file = file("other-ca.pem");
  const auto server = start(with);
  ASSERT_TRUE(server);
  EXPECT_FALSE(send(*server,
                    {.ca_file = file("ca.pem"), .certificate_file = file("client.pem"), .key_file = file("client.key")},
                    "hello"));
}

TEST_F(TlsTest, a_client_in_the_clear_gets_nothing) {
  const auto server = start(options());
  ASSERT_TRUE(server);
  http::Client client;
  EXPECT_FALSE(client.send({.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/echo", .body = "x"}));
}

TEST_F(TlsTest, a_file_that_cannot_be_used_is_an_error_that_says_which_and_what_to_give) {
  const std::string nowhere = file("nowhere.pem").string();
  Options with = options();
  with.certificate_file = nowhere;
  EXPECT_THAT(start(with).error().message,
              HasSubstr("the certificate " + nowhere + " cannot be used (No such file or directory"));
  with = options();
  with.key_file = file("client.key");
  EXPECT_THAT(start(with).error().message, HasSubstr("the key " + file("client.key").string() + " cannot be used ("));
  EXPECT_THAT(start(with).error().message, HasSubstr("give a PEM file that can be read here, with the private key"));
  with = asking();
  with.client_ca_file = nowhere;
  EXPECT_THAT(start(with).error().message, HasSubstr("the clients' authority " + nowhere + " cannot be used ("));
}

}  // namespace
}  // namespace rltune::webserver
