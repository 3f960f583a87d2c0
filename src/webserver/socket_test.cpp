// Sockets of a server, with the clients of another project (tests/peers/socket.mjs).
#include "rltune/webserver/socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "certificates.hpp"
#include "rltune/webserver/server.hpp"
#include "temporary_folder.hpp"

namespace rltune::webserver {
namespace {

using namespace std::chrono_literals;

class Peer {
 public:
  Peer(const std::string& url, const std::string& scenario)
      : said_(::popen(
                  ("exec timeout 20 /usr/bin/node " RLTUNE_SOURCE_DIR "/tests/peers/socket.mjs " + url + " " + scenario)
                      .c_str(),
                  "r"),
              &::pclose) {}
  // The next line; "" at its end.
  std::string line() {
    char bytes[256];
    if (std::fgets(bytes, sizeof bytes, said_.get()) == nullptr) return {};
    std::string text(bytes);
    text.pop_back();
    return text;
  }

 private:
  std::unique_ptr<FILE, int (*)(FILE*)> said_;
};

class SocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/ws"))
      GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  }

  void start(Options options = {}) {
    auto server = Server::start(
        options, {},
        {{"/live", [this](const Request& request, const auto& socket) { return accept(request, socket); }}});
    ASSERT_TRUE(server) << server.error().message;
    server_.emplace(std::move(*server));
    url_ = (options.certificate_file.empty() ? "ws" : "wss") + std::string("://127.0.0.1:") +
           std::to_string(server_->port()) + "/live";
  }

  std::expected<SocketEvents, Response> accept(const Request& request, const std::shared_ptr<Socket>& socket) {
    if (request.headers.at("origin") != "https://plant") return std::unexpected(problem(403, "not from there"));
    const std::scoped_lock lock(mutex_);
    sockets_.push_back(socket);
    const std::weak_ptr<Socket> back = socket;
    return SocketEvents{.on_message =
                            [back](std::string_view message, MessageKind kind) {
                              if (const auto to = back.lock()) to->send(std::string(message), kind);
                            },
                        .on_close =
                            [this](std::uint16_t code, std::string_view) {
                              const std::scoped_lock held(mutex_);
                              closed_.push_back(code);
                              changed_.notify_all();
                            }};
  }
  std::vector<std::uint16_t> closed(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return closed_.size() >= count; });
    return closed_;
  }
  std::shared_ptr<Socket> socket(std::size_t index) {
    const std::scoped_lock lock(mutex_);
    return sockets_.at(index);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Socket>> sockets_;
  std::vector<std::uint16_t> closed_;
  std::optional<Server> server_;
  std::string url_;
};

TEST_F(SocketTest, messages_come_back_whole_whatever_their_size_and_parts) {
  start();
  Peer peer(url_, "echo");
  EXPECT_EQ(peer.line(), "open");
  EXPECT_EQ(peer.line(), "echo in three parts");
  EXPECT_EQ(peer.line(), "closed 4000");
  EXPECT_EQ(closed(1), std::vector<std::uint16_t>{4000});
  EXPECT_FALSE(socket(0)->send("late"));
}

TEST_F(SocketTest, it_is_the_same_through_tls) {
  const TemporaryFolder folder;
  ASSERT_TRUE(rltune::testing::make_certificates(folder.path()));
  start({.threads = 2, .certificate_file = folder.path() / "server.pem", .key_file = folder.path() / "server.key"});
  Peer peer(url_, "echo");
  EXPECT_EQ(peer.line(), "open");
  EXPECT_EQ(peer.line(), "echo in three parts");
  EXPECT_EQ(peer.line(), "closed 4000");
}

TEST_F(SocketTest, who_is_refused_sees_the_response_and_no_socket) {
  start();
  EXPECT_EQ(Peer(url_, "stranger").line(), "refused 403");
}

TEST_F(SocketTest, one_too_many_is_told_to_come_later) {
  start({.sockets = {.most = 1}});
  Peer first(url_, "stays");
  EXPECT_EQ(first.line(), "open");
  EXPECT_EQ(Peer(url_, "stays").line(), "refused 503");
  server_.reset();  // so that the peers end
}

TEST_F(SocketTest, too_large_a_message_ends_it) {
  start();
  Peer peer(url_, "large");
  EXPECT_EQ(peer.line(), "open");
  EXPECT_EQ(peer.line(), "closed 1009");
  EXPECT_EQ(closed(1), std::vector<std::uint16_t>{1009});
}

TEST_F(SocketTest, what_is_queued_goes_out_before_it_closes) {
  start();
  Peer peer(url_, "fast");
  EXPECT_EQ(peer.line(), "open");
  EXPECT_TRUE(socket(0)->send("last"));
  socket(0)->close(4001, "enough");
  EXPECT_EQ(peer.line(), "took 4");
  EXPECT_EQ(peer.line(), "closed 4001 enough");
}

TEST_F(SocketTest, a_slow_client_fills_its_own_queue_and_no_other) {
  start();
  Peer slow(url_, "slow");
  EXPECT_EQ(slow.line(), "open");
  Peer fast(url_, "fast");
  EXPECT_EQ(fast.line(), "open");
  const std::string message(50'000, 'x');
  std::size_t bytes = 0;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (socket(0)->send(message)) {
    while (!socket(1)->send(message)) ASSERT_LT(std::chrono::steady_clock::now(), end);
    bytes += message.size();
    ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  while (!socket(1)->send("last")) ASSERT_LT(std::chrono::steady_clock::now(), end);
  EXPECT_EQ(fast.line(), "took " + std::to_string(bytes + 4));
  socket(0)->close(1008, "too slow");
  EXPECT_EQ(closed(1), std::vector<std::uint16_t>{1006}) << "it did not end although nobody reads";
  server_.reset();
}

TEST_F(SocketTest, the_servers_end_is_told_and_leaves_sockets_that_do_nothing) {
  start();
  Peer peer(url_, "stays");
  EXPECT_EQ(peer.line(), "open");
  server_.reset();
  EXPECT_EQ(closed(1), std::vector<std::uint16_t>{1001});
  EXPECT_EQ(peer.line(), "closed 1001");
  EXPECT_FALSE(socket(0)->send("late"));
  socket(0)->close();
}

TEST_F(SocketTest, who_answers_no_ping_is_gone_and_who_does_stays) {
  start({.sockets = {.idle_timeout = 1s}});
  Peer stays(url_, "stays");
  EXPECT_EQ(stays.line(), "open");
  Peer silent(url_, "silent");
  EXPECT_EQ(silent.line(), "open");
  EXPECT_EQ(closed(1), std::vector<std::uint16_t>{1006});
  EXPECT_EQ(silent.line(), "closed 1006");
  EXPECT_TRUE(socket(0)->send("still there"));
  server_.reset();
}

}  // namespace
}  // namespace rltune::webserver
