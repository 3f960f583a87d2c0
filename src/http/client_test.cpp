#include "rltune/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "../../tests/system/child_process.hpp"
#include "certificates.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune::http {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rltune::testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::Not;

class ClientTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    ASSERT_TRUE(rltune::testing::make_certificates(folder_->path()));
    strict_ = std::make_unique<Server>(std::vector<std::string>{});
    lenient_ = std::make_unique<Server>(std::vector<std::string>{"--optional"});
  }
  static void TearDownTestSuite() {
    strict_.reset();
    lenient_.reset();
    folder_.reset();
  }

  struct Server {
    explicit Server(std::vector<std::string> more) {
      std::vector<std::string> arguments{"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/https.mjs", "--folder",
                                         folder_->path().string()};
      arguments.insert(arguments.end(), more.begin(), more.end());
      process.emplace(std::move(arguments));
      const auto line = process->read_line(60s);
      if (line) url = "https://127.0.0.1:" + std::to_string(json::parse(*line)["port"].get<int>());
    }
    std::optional<ChildProcess> process;
    std::string url;
  };
  static std::filesystem::path file(const std::string& name) { return folder_->path() / name; }
  static ClientOptions with_certificate() {
    return {.ca_file = file("ca.pem"), .certificate_file = file("client.pem"), .key_file = file("client.key")};
  }
  static Request to(const std::string& url, std::string body = "hello") {
    return {.url = url, .body = std::move(body)};
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<Server> strict_, lenient_;
};

TEST_F(ClientTest, what_is_sent_arrives_and_what_is_answered_comes_back) {
  Client client(with_certificate());
  Request request = to(strict_->url + "/echo?a=b");
  request.headers = {{"X-Api-Key", "k"}, {"Content-Type", "text/plain"}};
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.at("x-echo"), "Yes");
  const json echo = json::parse(response->body);
  EXPECT_EQ(echo["method"], "POST");
  EXPECT_EQ(echo["url"], "/echo?a=b");
  EXPECT_EQ(echo["body"], "hello");
  EXPECT_EQ(echo["headers"]["x-api-key"], "k");
  EXPECT_EQ(echo["certificate"], "test-client");
  EXPECT_THAT(echo["protocol"].get<std::string>(), ::testing::AnyOf("TLSv1.2", "TLSv1.3"));
}

TEST_F(ClientTest, one_connection_serves_all_requests) {
  Client client(with_certificate());
  const json before = json::parse(client.send(to(strict_->url + "/echo"))->body);
  for (int turn = 0; turn < 20; ++turn) {
    const json now = json::parse(client.send(to(strict_->url + "/echo"))->body);
    EXPECT_EQ(now["connections"], before["connections"]);
  }
}

TEST_F(ClientTest, a_large_body_goes_without_a_wait) {
  Client client(with_certificate());
  const auto before = std::chrono::steady_clock::now();
  const auto response = client.send(to(strict_->url + "/echo", std::string(3'000'000, 'x')));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(json::parse(response->body)["body"].get<std::string>().size(), 3'000'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(900ms));
}

TEST_F(ClientTest, a_get_has_no_body) {
  Client client(with_certificate());
  const auto response = client.send({.method = "GET", .url = strict_->url + "/echo"});
  ASSERT_TRUE(response);
  EXPECT_EQ(json::parse(response->body)["method"], "GET");
  EXPECT_FALSE(json::parse(response->body)["headers"].contains("content-length"));
}

TEST_F(ClientTest, any_status_is_an_answer_and_a_redirect_is_not_followed) {
  Client client(with_certificate());
  const auto busy = client.send(to(strict_->url + "/status/429"));
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->status, 429);
  EXPECT_EQ(busy->headers.at("retry-after"), "7");
  EXPECT_EQ(busy->body, "told so");
  EXPECT_EQ(client.send(to(strict_->url + "/redirect"))->status, 302);
}

TEST_F(ClientTest, a_server_of_another_authority_is_denied) {
  Client client({.ca_file = file("other-ca.pem")});
  const auto response = client.send(to(lenient_->url + "/echo"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::denied) << response.error().message;
  EXPECT_THAT(response.error().message, HasSubstr("127.0.0.1:"));
}

TEST_F(ClientTest, the_hosts_authorities_do_not_count_beside_a_given_one) {
  Client client;
  const auto response = client.send(to(lenient_->url + "/echo"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::denied) << response.error().message;
}

TEST_F(ClientTest, without_a_certificate_that_the_server_wants_it_is_denied) {
  Client client({.ca_file = file("ca.pem")});
  const auto response = client.send(to(strict_->url + "/echo"));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().code, ::testing::AnyOf(Errc::denied, Errc::disconnected)) << response.error().message;
}

TEST_F(ClientTest, files_that_cannot_be_read_are_named_as_such) {
  Client missing_key({.ca_file = file("ca.pem"), .certificate_file = file("client.pem"), .key_file = file("none.key")});
  EXPECT_EQ(missing_key.send(to(strict_->url + "/echo")).error().code, Errc::invalid_argument);
  Client missing_ca({.ca_file = file("none.pem")});
  EXPECT_EQ(missing_ca.send(to(strict_->url + "/echo")).error().code, Errc::invalid_argument);
}

TEST_F(ClientTest, a_server_that_hangs_is_a_timeout) {
  ClientOptions options = with_certificate();
  options.timeout = 200ms;
  Client client(options);
  const auto response = client.send(to(strict_->url + "/hang"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::timeout);
  EXPECT_TRUE(client.send(to(strict_->url + "/echo"))) << "and the next request goes";
}

TEST_F(ClientTest, half_an_answer_and_a_reset_are_disconnections) {
  Client client(with_certificate());
  for (const char* path : {"/half", "/reset"}) {
    const auto response = client.send(to(strict_->url + path));
    ASSERT_FALSE(response) << path;
    EXPECT_EQ(response.error().code, Errc::disconnected) << response.error().message;
  }
  EXPECT_TRUE(client.send(to(strict_->url + "/echo")));
}

TEST_F(ClientTest, an_answer_that_is_too_long_is_not_kept) {
  ClientOptions options = with_certificate();
  options.answer_bytes_max = 10'000;
  Client client(options);
  const auto response = client.send(to(strict_->url + "/large"));
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("longer than 10000 bytes"));
}

TEST_F(ClientTest, cancel_ends_a_request_that_hangs_and_every_later_one) {
  ClientOptions options = with_certificate();
  options.timeout = 60s;
  Client client(options);
  const auto before = std::chrono::steady_clock::now();
  const std::jthread other([&] {
    std::this_thread::sleep_for(50ms);
    client.cancel();
  });
  const auto response = client.send(to(strict_->url + "/hang"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::disconnected);
  EXPECT_THAT(response.error().message, HasSubstr("cancelled"));
  EXPECT_FALSE(client.send(to(strict_->url + "/echo")));
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(2s));
}

TEST_F(ClientTest, errors_name_the_host_and_no_secret_of_the_url) {
  Client client;
  const auto refused = client.send(to("https://user:hunter2@127.0.0.1:1/secret-path?token=hunter3"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::disconnected);
  EXPECT_THAT(refused.error().message, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hunter")));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("secret-path")));
  for (const char* url : {"", "no url", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://"}) {
    const auto response = client.send(to(url));
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, Errc::invalid_argument) << url;
  }
}

TEST_F(ClientTest, servers_of_this_host_are_asked_without_a_proxy) {
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  Client client(with_certificate());
  EXPECT_TRUE(client.send(to(strict_->url + "/echo")));
  ::unsetenv("https_proxy");
}

}  // namespace
}  // namespace rltune::http
