// Forwarders and receivers that misbehave, over HTTPS with client certificates.
#include <gmock/gmock.h>

#include "forward_fixture.hpp"
#include "receiver_process.hpp"

namespace rltune::forward {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rltune::testing::ReceiverProcess;
using ::testing::HasSubstr;
using ::testing::Not;

class ReceiverTest : public ForwardFixture {
 protected:
  void SetUp() override { ASSERT_TRUE(rltune::testing::make_certificates(folder_.path())); }
  std::unique_ptr<Forwarder> start(const config::Sink& sink, Duration timeout = 5s) {
    return ForwardFixture::start(sink, "logs", timeout);
  }
  void add(int count) {
    for (int i = 0; i < count; ++i) add_log(std::format("entry {}", source_.acknowledged() + 1));
  }
  // Each record from 1 to `last` is there, and nothing was wrong with any.
  static void expect_all(const json& report, std::uint64_t last) {
    EXPECT_EQ(report["faults"], json::array());
    EXPECT_EQ(report["records"].size(), last);
    for (std::uint64_t sequence = 1; sequence <= last; ++sequence)
      ASSERT_TRUE(report["records"].contains(record_id(kBuffer, "logs", sequence))) << sequence;
  }
  // No record is in two batches: the same one came again each time.
  static void expect_apart(const json& batches) {
    std::map<std::uint64_t, std::uint64_t> last_of;
    for (const auto& [id, batch] : batches.items()) {
      EXPECT_TRUE(last_of.emplace(batch[0], batch[1]).second) << id;
    }
    std::uint64_t before = 0;
    for (const auto& [first, last] : last_of) {
      EXPECT_EQ(first, before + 1);
      before = last;
    }
  }
  std::string dead_letters() const { return read_file(folder_.path() / "progress/dead-letters.ndjson").value_or(""); }
};

TEST_F(ReceiverTest, a_gateway_gets_each_record_once_by_its_id) {
  ReceiverProcess receiver(folder_.path());
  config::Sink sink = receiver.sink("gateway");
  sink.batch_max_kb = 4;
  add(500);
  const auto forwarder = start(sink);
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 500; })) << forwarder->figures().trouble;
  const json report = receiver.report();
  expect_all(report, 500);
  EXPECT_EQ(report["headers"]["content-encoding"], "gzip");
  for (const auto& [id, copies] : report["records"].items()) EXPECT_EQ(copies, 1) << id;
}

// A receiver that takes and then hangs, answers half or resets, says 429 or 500, or resets before it took.
TEST_F(ReceiverTest, every_misbehaviour_leaves_one_copy_of_each_after_ids) {
  for (const char* kind : {"gateway", "opensearch"}) {
    ReceiverProcess receiver(folder_.path(), {"--seed", "7"});
    config::Sink sink = receiver.sink(kind);
    sink.batch_max_kb = 4;
    forget_progress();
    if (source_.acknowledged() == 0) add(1500);
    const auto forwarder = start(sink, 100ms);
    EXPECT_TRUE(eventually([&] { return forwarder->taken() == 1500; })) << forwarder->figures().trouble;
    const json report = receiver.report();
    expect_all(report, 1500);
    EXPECT_GT(forwarder->figures().retried, 10U) << kind;
    for (const auto& [id, copies] : report["records"].items()) {
      EXPECT_TRUE(copies == 1 || kind == std::string("gateway")) << id << ": OpenSearch knows it by its _id";
    }
    expect_apart(report["batches"]);
    EXPECT_EQ(forwarder->figures().refused, 0U);
  }
}

TEST_F(ReceiverTest, a_receiver_that_was_not_there_gets_all_when_it_is) {
  ReceiverProcess receiver(folder_.path());
  config::Sink sink = receiver.sink("gateway");
  sink.url = "https://127.0.0.1:1/logs";
  add(10);
  {
    const auto forwarder = start(sink);
    EXPECT_TRUE(eventually([&] { return forwarder->figures().retried > 3; }));
    EXPECT_THAT(forwarder->figures().trouble, HasSubstr("127.0.0.1:1"));
  }
  const auto forwarder = start(receiver.sink("gateway"));
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 10; }));
}

TEST_F(ReceiverTest, a_wrong_key_waits_is_said_and_stands_nowhere) {
  ReceiverProcess receiver(folder_.path(), {"--token", "right"});
  config::Sink sink = receiver.sink("gateway");
  sink.authentication = "bearer";
  sink.secret_file = "key";
  add(5);
  const auto forwarder = start(sink);
  EXPECT_TRUE(eventually([&] { return !forwarder->figures().trouble.empty(); }));
  EXPECT_THAT(forwarder->figures().trouble, HasSubstr("the key of sink cloud is neither in"));
  ASSERT_TRUE(write_secret_file(folder_.path() / "key", "hunter2"));
  EXPECT_TRUE(eventually([&] { return forwarder->figures().trouble.contains("401"); }));
  EXPECT_THAT(forwarder->figures().trouble, Not(HasSubstr("hunter2"))) << "the receiver gives it back";
  ASSERT_TRUE(write_secret_file(folder_.path() / "key", "-----BEGIN\nAAAA\n"));
  EXPECT_TRUE(eventually([&] { return forwarder->figures().trouble.contains("more than one line"); }));
  ASSERT_TRUE(write_secret_file(folder_.path() / "key", "right"));
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; })) << forwarder->figures().trouble;
  EXPECT_EQ(dead_letters(), "");
}

TEST_F(ReceiverTest, keys_go_as_each_way_of_authentication_has_them) {
  ReceiverProcess receiver(folder_.path(), {});
  ASSERT_TRUE(write_secret_file(folder_.path() / "key", "open sesame\n"));
  const auto headers_with = [&](const std::string& how) {
    config::Sink sink = receiver.sink("gateway");
    sink.authentication = how;
    sink.user = "Aladdin";
    sink.secret_file = "key";
    forget_progress();
    if (source_.acknowledged() == 0) add(1);
    const auto forwarder = start(sink);
    EXPECT_TRUE(eventually([&] { return forwarder->taken() == 1; })) << forwarder->figures().trouble;
    return receiver.report()["headers"];
  };
  EXPECT_EQ(headers_with("api_key")["x-api-key"], "open sesame");
  EXPECT_EQ(headers_with("bearer")["authorization"], "Bearer open sesame");
  EXPECT_EQ(headers_with("basic")["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") << "RFC 7617, 2";
}

TEST_F(ReceiverTest, signatures_are_what_another_implementation_makes_of_the_request) {
  if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/aws4"))
    GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  ReceiverProcess receiver(folder_.path(), {"--aws-secret", "wJalrXUtnFEMI"});
  ASSERT_TRUE(write_secret_file(folder_.path() / "key", "wJalrXUtnFEMI"));
  config::Sink sink = receiver.sink("gateway");
  sink.url += "/prod/a%20b/ingest?b=2&a=%2F1";
  sink.authentication = "sigv4";
  sink.user = "AKIDEXAMPLE";
  sink.secret_file = "key";
  sink.region = "eu-central-1";
  sink.service = "execute-api";
  add(5);
  const auto forwarder = start(sink);
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; })) << forwarder->figures().trouble;
  expect_all(receiver.report(), 5);
}

TEST_F(ReceiverTest, what_a_gateway_excepts_is_a_dead_letter) {
  ReceiverProcess receiver(folder_.path());
  add(3);
  add_log("poison");
  add(2);
  const auto forwarder = start(receiver.sink("gateway"));
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 6; }));
  EXPECT_EQ(forwarder->figures().refused, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("-logs-4\""));
}

TEST_F(ReceiverTest, items_that_opensearch_refuses_are_dead_letters_and_those_for_later_come_later) {
  ReceiverProcess receiver(folder_.path());
  add(2);
  add_log("busy");
  add_log("poison");
  add(2);
  const auto forwarder = start(receiver.sink("opensearch"));
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 6; })) << forwarder->figures().trouble;
  EXPECT_EQ(forwarder->figures().refused, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("-logs-4\""));
  EXPECT_THAT(dead_letters(), HasSubstr("because mapper_parsing_exception"));
  const json report = receiver.report();
  EXPECT_EQ(report["records"].size(), 5U);
  for (const auto& [id, copies] : report["records"].items()) EXPECT_EQ(copies, 1) << id;
}

TEST_F(ReceiverTest, without_its_certificate_nothing_is_taken_and_nothing_lost) {
  ReceiverProcess receiver(folder_.path());
  config::Sink sink = receiver.sink("gateway");
  sink.certificate_file.clear();
  sink.key_file.clear();
  add(5);
  {
    const auto forwarder = start(sink);
    EXPECT_TRUE(eventually([&] { return !forwarder->figures().trouble.empty(); }));
    EXPECT_EQ(forwarder->taken(), 0U);
  }
  const auto forwarder = start(receiver.sink("gateway"));
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; }));
}

}  // namespace
}  // namespace rltune::forward
