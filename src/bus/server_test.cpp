// A server among several that call it, and one that passes calls on, when some of them go wrong.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <semaphore>

#include "answers.hpp"
#include "dying_server.hpp"
#include "listener.hpp"
#include "rltune/bus/caller.hpp"
#include "rltune/v1/envelope.pb.h"
#include "serving.hpp"
#include "stream.hpp"
#include "temporary_folder.hpp"

namespace rltune::bus {
namespace {

using namespace std::chrono_literals;

class ServerTest : public testing::Test {
 protected:
  static CallOptions to(const std::string& method) {
    return {.method = method, .target = "agent", .correlation_id = {}, .token = {}, .timeout = 60s};
  }
  std::function<void(Server&)> forwarding() {
    return [this](Server& server) { server.forward([this](const Call&) -> Result<std::string> { return role_at_; }); };
  }
  // Answers "hold" no sooner than the test lets it go.
  std::function<void(Server&)> holding() {
    return [this](Server& server) {
      serve_echo(server);
      server.handle("hold", [this](const Call&, std::string_view, std::string&) -> Result<> {
        held_.release();
        EXPECT_TRUE(let_go_.try_acquire_for(20s));
        return {};
      });
    };
  }

  TemporaryFolder folder_;
  std::string role_at_ = call_endpoint(folder_.path().string(), "agent");
  std::string front_at_ = call_endpoint(folder_.path().string(), "coredinator");
  std::counting_semaphore<> held_{0}, let_go_{0};
};

TEST_F(ServerTest, who_was_passed_on_to_a_role_that_is_killed_is_told_at_once) {
  constexpr std::size_t kCalls = 20;
  const DyingServer dying(role_at_, kCalls);  // before there are threads
  const Serving front(front_at_, forwarding());
  Answers answers(kCalls), after(1);
  auto caller = Caller::connect(front_at_);
  struct stat found{};
  while (::stat(role_at_.substr(6).c_str(), &found) != 0) std::this_thread::yield();
  for (std::size_t i = 0; i < kCalls; ++i) caller->call(to("echo"), "hold", answers.taker(i));
  ASSERT_TRUE(answers.wait_for_all()) << "long before their deadlines";
  EXPECT_EQ(answers.count_of("disconnected"), kCalls);
  EXPECT_EQ(answers[0].result.error().message, "'agent' went away before it answered");
  const Serving next(role_at_, serve_echo);
  caller->call(to("echo"), "again", after.taker(0));
  ASSERT_TRUE(after.wait_for_all());
  EXPECT_EQ(after[0].result.value_or("none"), "again");
}

TEST_F(ServerTest, a_role_that_is_forgotten_answers_no_more) {
  const Serving role(role_at_, holding());
  auto front = Server::bind(front_at_);
  forwarding()(*front);
  Answers answers(1);
  auto caller = Caller::connect(front_at_);
  caller->call(to("hold"), "", answers.taker(0));
  while (!held_.try_acquire()) front->serve(1ms);
  front->forget(role_at_);
  let_go_.release();
  ASSERT_TRUE(answers.wait_for_all());
  EXPECT_EQ(answers.code(0), "disconnected");
  EXPECT_EQ(answers[0].result.error().message, "'agent' went away before it answered");
}

TEST_F(ServerTest, what_is_long_passes_through_whole_in_both_directions) {
  const Serving role(role_at_, serve_echo), front(front_at_, forwarding());
  auto client = Client::connect(front_at_);
  std::string body(kMessageBytesMax, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 / 7);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->call("echo", "agent", body, 20s).value_or(""), body);
}

// It sends calls whose answers are long, and takes none of them.
TEST_F(ServerTest, who_takes_no_answers_harms_nobody_and_is_let_go) {
  const Serving role(role_at_, serve_echo), front(front_at_, forwarding());
  auto deaf = Stream::connect(front_at_.substr(6));
  ASSERT_TRUE(deaf);
  v1::Envelope envelope;
  envelope.set_method("echo");
  envelope.set_target("agent");
  const std::string head = envelope.SerializeAsString(), body(4 * 1024 * 1024, 'x');
  auto client = Client::connect(front_at_);
  bool gone = false;
  for (std::uint64_t call = 1; call <= 400 && !gone; ++call) {
    gone = deaf->send({call, head, body}) == Stream::Sent::gone || !deaf->flush();
    ASSERT_EQ(client->call("echo", "agent", "mine", 20s).value_or(""), "mine");
  }
  EXPECT_TRUE(gone || deaf->unsent()) << "it is asked for no more, or let go";
}

TEST_F(ServerTest, a_flood_leaves_room_between_two_turns) {
  auto server = Server::bind(role_at_);
  std::size_t served = 0;
  server->handle("count",
                 [&](const Call&, std::string_view, std::string&) -> Result<> { return ++served, Result<>(); });
  constexpr std::size_t kPeers = 8, kCalls = 500;
  std::vector<Stream> peers;
  v1::Envelope envelope;
  envelope.set_method("count");
  const std::string head = envelope.SerializeAsString();
  for (std::size_t i = 0; i < kPeers; ++i) {
    peers.push_back(*Stream::connect(role_at_.substr(6)));
    for (std::uint64_t call = 1; call <= kCalls; ++call)
      ASSERT_EQ(peers.back().send({call, head, ""}), Stream::Sent::taken);
  }
  server->serve(100ms);  // they are let in
  while (served < kPeers * kCalls) {
    const std::size_t before = served;
    for (Stream& peer : peers) ASSERT_TRUE(peer.flush());
    ASSERT_GT(server->serve(20s), 0);
    EXPECT_LE(served - before, 256U + 16 * 1024 / (16 + head.size()) + 1) << "and what came in one piece with the last";
  }
}

TEST_F(ServerTest, its_path_is_for_its_owner_and_goes_with_it_but_not_with_the_one_before) {
  const std::string path = role_at_.substr(6);
  auto first = std::make_unique<Server>(*Server::bind(role_at_));
  auto second = std::make_unique<Server>(*Server::bind(role_at_));
  first.reset();
  struct stat found{};
  EXPECT_EQ(::stat(path.c_str(), &found), 0);
  second.reset();
  EXPECT_NE(::stat(path.c_str(), &found), 0);
}

TEST_F(ServerTest, where_it_cannot_listen_it_says_so) {
  EXPECT_EQ(Server::bind("tcp://127.0.0.1:4000").error().code, Errc::invalid_argument);
  EXPECT_EQ(Server::bind("ipc:///" + std::string(200, 'x')).error().code, Errc::invalid_argument);
  EXPECT_EQ(Server::bind("ipc:///proc/nowhere/io.sock").error().code, Errc::io);
  EXPECT_EQ(Client::connect("io").error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace rltune::bus
