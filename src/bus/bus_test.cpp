#include "rltune/bus/bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <random>

#include "listener.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/control.pb.h"
#include "rltune/v1/envelope.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "serving.hpp"
#include "stream.hpp"
#include "temporary_folder.hpp"

namespace rltune::bus {
namespace {

using namespace std::chrono_literals;

void serve_role(Server& server) {
  serve_echo(server);
  server.handle<v1::HealthRequest, v1::HealthAnswer>(
      "role.Health", [](const Call&, const v1::HealthRequest&, v1::HealthAnswer& answer) -> Result<> {
        answer.set_healthy(true);
        return {};
      });
  server.handle("slow", [](const Call&, std::string_view, std::string&) -> Result<> {
    std::this_thread::sleep_for(80ms);
    return {};
  });
}

// The next message to arrive; nothing where the other side ends or is silent for long.
std::optional<Message> next_of(Stream& stream) {
  while (true) {
    if (auto message = stream.next()) return message;
    pollfd item{stream.descriptor(), POLLIN, 0};
    if (::poll(&item, 1, 20'000) <= 0 || stream.read() == Stream::Arrived::gone) return std::nullopt;
  }
}

std::string text_of(const std::array<char, kPrefixBytes>& prefix) { return {prefix.data(), prefix.size()}; }

class BusTest : public testing::Test {
 protected:
  // One that writes what it likes, and waits when it reads.
  Descriptor raw_connection() {
    Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(endpoint_.substr(6));
    EXPECT_EQ(::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return made;
  }
  TemporaryFolder folder_;
  Context context_;
  std::string endpoint_ = call_endpoint(folder_.path().string(), "io");
};

TEST_F(BusTest, a_typed_call_is_answered) {
  const Serving serving(endpoint_, serve_role);
  auto client = Client::connect(endpoint_);
  ASSERT_TRUE(client);
  auto answer = client->call<v1::HealthAnswer>("role.Health", "io", v1::HealthRequest(), 2s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->healthy());
}

TEST_F(BusTest, a_handlers_error_comes_back_with_its_code) {
  const Serving serving(endpoint_, serve_role);
  auto client = Client::connect(endpoint_);
  auto answer = client->call("nonsense", "io", "", 2s);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::not_found);
}

TEST_F(BusTest, a_body_of_another_type_is_a_parse_error) {
  const Serving serving(endpoint_, serve_role);
  auto client = Client::connect(endpoint_);
  auto answer = client->call("role.Health", "io", "\xff\xff\xff", 2s);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::parse);
}

TEST_F(BusTest, nobody_listening_is_disconnected_by_the_deadline) {
  auto client = Client::connect(endpoint_);
  const WallClock clock;
  const Duration start = clock.steady();
  auto answer = client->call("echo", "io", "x", 60ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::disconnected);
  EXPECT_LT(clock.steady() - start, 1s);
}

TEST_F(BusTest, a_late_answer_is_a_timeout_and_never_the_next_calls) {
  const Serving serving(endpoint_, serve_role);
  auto client = Client::connect(endpoint_);
  ASSERT_TRUE(client->call("echo", "io", "warm", 2s));
  auto late = client->call("slow", "io", "x", 20ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timeout);
  auto next = client->call("echo", "io", "mine", 2s);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(*next, "mine");
}

TEST_F(BusTest, a_server_that_dies_is_noticed_before_the_deadline) {
  auto client = Client::connect(endpoint_);
  std::thread dying;
  {
    auto server = Server::bind(endpoint_);
    ASSERT_TRUE(server);
    dying = std::thread([server = std::move(*server)]() mutable { std::this_thread::sleep_for(100ms); });
  }
  const WallClock clock;
  const Duration start = clock.steady();
  auto answer = client->call("echo", "io", "x", 20s);
  dying.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::disconnected);
  EXPECT_LT(clock.steady() - start, 10s);
}

TEST_F(BusTest, a_server_that_dies_and_is_replaced_at_once_is_noticed) {
  auto client = Client::connect(endpoint_);
  std::atomic<bool> stop{false};
  std::thread dying([&] {
    {
      auto first = Server::bind(endpoint_);
      ASSERT_TRUE(first);
      std::this_thread::sleep_for(100ms);
    }
    auto second = Server::bind(endpoint_);
    ASSERT_TRUE(second);
    second->handle("echo", [](const Call&, std::string_view body, std::string& answer) -> Result<> {
      answer = body;
      return {};
    });
    while (!stop) second->serve(5ms);
  });
  const WallClock clock;
  const Duration start = clock.steady();
  // The first one took it with it, although somebody listens again a moment later.
  const auto lost = client->call("echo", "io", "x", 20s);
  EXPECT_LT(clock.steady() - start, 10s);
  const auto again = client->call("echo", "io", "again", 20s);
  stop = true;
  dying.join();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::disconnected);
  EXPECT_EQ(again.value_or(""), "again");
}

TEST_F(BusTest, a_client_outlives_its_server) {
  auto client = Client::connect(endpoint_);
  for (int round = 0; round < 3; ++round) {
    {
      const Serving serving(endpoint_, serve_role);
      auto answer = client->call("echo", "io", "again", 2s);
      ASSERT_TRUE(answer) << answer.error().message;
    }
    EXPECT_FALSE(client->call("echo", "io", "x", 30ms));
  }
}

TEST_F(BusTest, a_server_passes_on_what_it_does_not_serve) {
  const Serving role(endpoint_, serve_role);
  const std::string front = call_endpoint(folder_.path().string(), "coredinator");
  std::atomic<bool> stop{false};
  std::thread router([&] {
    auto server = Server::bind(front);
    server->handle("own", [](const Call&, std::string_view, std::string& answer) -> Result<> {
      answer = "mine";
      return {};
    });
    server->forward([&](const Call& call) -> Result<std::string> {
      if (call.target == "io") return endpoint_;
      if (call.target == "dead") return call_endpoint(folder_.path().string(), "dead");
      return fail(Errc::not_found, "no role '" + std::string(call.target) + "'");
    });
    while (!stop) server->serve(5ms);
  });
  auto client = Client::connect(front);
  for (int i = 0; i < 50; ++i) {
    const std::string body = "body " + std::to_string(i);
    const auto answer = client->call("echo", "io", body, 2s);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, body);
  }
  EXPECT_EQ(client->call("own", "", "", 2s).value_or(""), "mine");
  EXPECT_EQ(client->call("nonsense", "io", "", 2s).error().code, Errc::not_found);
  EXPECT_EQ(client->call("echo", "nobody", "", 2s).error().code, Errc::not_found);
  EXPECT_EQ(client->call("echo", "dead", "", 2s).error().code, Errc::disconnected);
  stop = true;
  router.join();
}

// Spans in the order of their ends: who serves, who passes on, who called.
class TracedBus : public BusTest {
 protected:
  TracedBus() {
    trace::start({.sample_ratio = 0.0});
    router_ = std::thread([this] {
      auto server = Server::bind(front_);
      server->forward([&](const Call& call) -> Result<std::string> {
        if (call.target == "io") return endpoint_;
        return fail(Errc::not_found, "no role '" + std::string(call.target) + "'");
      });
      while (!stop_) server->serve(5ms);
    });
  }
  ~TracedBus() override {
    stop_routing();
    trace::stop();
  }
  void stop_routing() {
    stop_ = true;
    if (router_.joinable()) router_.join();
  }
  std::vector<trace::Record> recorded() {
    std::vector<trace::Record> records(64);
    records.resize(trace::take(records));
    return records;
  }

  const trace::Context caller_ = trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  std::string front_ = call_endpoint(folder_.path().string(), "coredinator");
  std::atomic<bool> stop_{false};
  std::thread router_;
};

TEST_F(TracedBus, a_call_that_is_passed_on_is_one_trace) {
  const Serving role(endpoint_, serve_role);
  auto client = Client::connect(front_);
  {
    const trace::Scope within(caller_);
    ASSERT_TRUE(client->call("echo", "io", "x", 2s, "0198"));
  }
  stop_routing();
  const auto spans = recorded();
  ASSERT_EQ(spans.size(), 3U);
  const auto named = [&](std::string_view name, trace::Kind kind) {
    return *std::ranges::find_if(spans,
                                 [&](const auto& span) { return span.name.view() == name && span.kind == kind; });
  };
  const auto served = named("echo", trace::Kind::server), dispatched = named("dispatch", trace::Kind::server),
             called = named("echo", trace::Kind::client);
  EXPECT_EQ(called.parent, caller_.span_id);
  EXPECT_EQ(dispatched.parent, called.context.span_id);
  EXPECT_EQ(served.parent, dispatched.context.span_id);
  EXPECT_GE(called.took, dispatched.took);
  EXPECT_GE(dispatched.took, served.took);
  for (const auto& span : spans) {
    EXPECT_EQ(span.context.trace_id, caller_.trace_id);
    EXPECT_EQ(span.correlation_id.view(), "0198");
    EXPECT_FALSE(span.failed);
  }
}

TEST_F(TracedBus, a_call_without_a_trace_begins_one_where_it_is_passed_on) {
  const Serving role(endpoint_, serve_role);
  trace::start({.sample_ratio = 1.0});
  auto client = Client::connect(front_);
  ASSERT_TRUE(client->call("echo", "io", "x", 2s));
  stop_routing();
  const auto spans = recorded();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name.view(), "echo");
  EXPECT_EQ(spans[0].parent, spans[1].context.span_id);
  EXPECT_EQ(spans[1].parent, trace::SpanId());
}

TEST_F(TracedBus, who_is_not_traced_stays_so) {
  const Serving role(endpoint_, serve_role);
  trace::start({.sample_ratio = 1.0});
  trace::Context not_sampled = caller_;
  not_sampled.sampled = false;
  const trace::Scope within(not_sampled);
  auto client = Client::connect(front_);
  ASSERT_TRUE(client->call("echo", "io", "x", 2s));
  stop_routing();
  EXPECT_TRUE(recorded().empty());
}

TEST_F(TracedBus, what_fails_says_so) {
  const Serving role(endpoint_, serve_role);
  const trace::Scope within(caller_);
  auto client = Client::connect(front_);
  EXPECT_FALSE(client->call("nonsense", "io", "", 2s));
  EXPECT_FALSE(client->call("slow", "io", "", 30ms));
  std::this_thread::sleep_for(100ms);
  stop_routing();
  const auto spans = recorded();
  ASSERT_EQ(spans.size(), 6U);
  int failed = 0;
  for (const auto& span : spans) failed += span.failed ? 1 : 0;
  EXPECT_EQ(failed, 5) << "the slow one was served in the end, for nobody";
}

// Whatever stands there, the call is served.
TEST_F(TracedBus, a_damaged_context_is_no_context) {
  const Serving role(endpoint_, serve_role);
  ASSERT_TRUE(Client::connect(front_)->call("echo", "io", "warm", 20s));
  for (const std::string& traceparent :
       {std::string("nonsense"), std::string(100'000, '0'), std::string("\xff\x00\xff", 3),
        std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01")}) {
    auto raw = Stream::connect(front_.substr(6));
    ASSERT_TRUE(raw);
    v1::Envelope envelope;
    envelope.set_method("echo");
    envelope.set_target("io");
    envelope.set_traceparent(traceparent);
    EXPECT_EQ(raw->send({.call = 1, .head = envelope.SerializeAsString(), .body = "x"}), Stream::Sent::taken);
    const auto answer = next_of(*raw);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->head, "");
    EXPECT_EQ(answer->body, "x");
  }
  stop_routing();
  EXPECT_TRUE(recorded().empty());
}

TEST_F(BusTest, a_call_can_be_begun_and_finished_later) {
  auto client = Client::connect(endpoint_);
  EXPECT_EQ(client->begin("echo", "io", "x", 1s).error().code, Errc::disconnected);
  EXPECT_FALSE(client->finish());
  const Serving serving(endpoint_, serve_role);
  ASSERT_TRUE(client->call("echo", "io", "warm", 2s));
  ASSERT_TRUE(client->begin("slow", "io", "", 20ms));
  std::optional<Result<std::string>> answer;
  while (!answer) answer = client->finish();
  EXPECT_EQ(answer->error().code, Errc::timeout);
  ASSERT_TRUE(client->begin("echo", "io", "later", 2s));
  do {
    answer = client->finish();
  } while (!answer);
  EXPECT_EQ(answer->value_or(""), "later");
}

TEST_F(BusTest, hostile_bytes_do_not_stop_a_server) {
  const Serving serving(endpoint_, serve_role);
  auto client = Client::connect(endpoint_);
  ASSERT_TRUE(client->call("echo", "io", "warm", 2s));
  std::mt19937 random(7);
  std::vector<Descriptor> others;
  for (int i = 0; i < 500; ++i) {
    others.push_back(raw_connection());
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Of every other one the lengths are true and the rest is not.
    const std::string prefix = i % 2 == 0 ? "" : text_of(prefix_of({.call = 1, .head = bytes, .body = bytes}));
    bytes = prefix + bytes + bytes;
    EXPECT_GE(::send(others.back().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
  }
  const auto answer = client->call("echo", "io", "still here", 5s);
  EXPECT_EQ(answer.value_or(""), "still here");
}

TEST_F(BusTest, what_is_no_message_ends_its_connection_alone) {
  const Serving serving(endpoint_, serve_role);
  const Descriptor raw = raw_connection();
  const std::string nonsense = "GET / HTTP/1.1\r\nHost: rltune\r\n\r\n";
  EXPECT_GT(::send(raw.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL), 0);
  std::array<char, 16> bytes{};
  EXPECT_EQ(::recv(raw.get(), bytes.data(), bytes.size(), 0), 0);
}

TEST_F(BusTest, events_reach_the_subscribers_of_their_topic) {
  const std::string endpoint = event_endpoint(folder_.path().string(), "io");
  auto publisher = Publisher::bind(context_, endpoint);
  auto samples = Subscriber::connect(context_, endpoint, "samples");
  ASSERT_TRUE(publisher && samples);
  v1::SampleBatch batch;
  v1::DecisionEvent decision;
  std::string_view topic, body;
  for (std::uint64_t sequence = 1; sequence < 500; ++sequence) {  // until the subscription has arrived
    batch.set_sequence(sequence);
    publisher->publish("decisions", decision);
    publisher->publish("samples", batch);
    if (samples->receive(topic, body, 10ms)) break;
  }
  EXPECT_EQ(topic, "samples");
  ASSERT_TRUE(batch.ParseFromArray(body.data(), static_cast<int>(body.size())));
  EXPECT_GT(batch.sequence(), 0U);
}

TEST_F(BusTest, a_subscriber_that_never_reads_does_not_block_its_publisher) {
  const std::string endpoint = event_endpoint(folder_.path().string(), "io");
  auto publisher = Publisher::bind(context_, endpoint);
  auto deaf = Subscriber::connect(context_, endpoint, "");
  ASSERT_TRUE(publisher && deaf);
  v1::SampleBatch batch;
  batch.mutable_samples()->Reserve(8);
  for (int i = 0; i < 8; ++i) batch.add_samples()->set_value(i);
  const WallClock clock;
  const Duration start = clock.steady();
  for (int i = 0; i < 60'000; ++i) publisher->publish("samples", batch);
  EXPECT_LT(clock.steady() - start, 20s);
}

TEST(Endpoint, a_long_run_folder_still_has_an_address) {
  const std::string folder = "/tmp/" + std::string(150, 'x');
  EXPECT_LE(call_endpoint(folder, "io").size(), 107 + std::string("ipc://").size());
  EXPECT_EQ(call_endpoint(folder, "io"), call_endpoint(folder + "/", "io"));
  EXPECT_NE(call_endpoint(folder, "io"), call_endpoint(folder + "y", "io"));
  EXPECT_EQ(call_endpoint("/run/rltune", "io"), "ipc:///run/rltune/io.sock");
  EXPECT_EQ(event_endpoint("/run/rltune", "io"), "ipc:///run/rltune/io.events.sock");
}

}  // namespace
}  // namespace rltune::bus
