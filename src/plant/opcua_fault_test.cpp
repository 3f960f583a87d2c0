// Servers that stop, hang, die, come back, and come back different. The known failures of the field:
// subscriptions that die silently after a reconnect (node-opcua #237, #474, #1059; open62541 #4502, #4878,
// #7526; asyncua #1072), a hung server that keeps TCP open (open62541 PR 8358), nodes that are gone after
// "session restored" (node-opcua #1059), clients that stay closed after the server's reboot (Telegraf #15693).
#include <cmath>

#include "opcua_fixture.hpp"
#include "server_process.hpp"
#include "time_limit.hpp"

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

bool good(const Sample& sample) { return sample.quality == Quality::good; }
bool bad(const Sample& sample) { return sample.quality == Quality::bad; }

constexpr std::uint32_t kBadNoCommunication = 0x80310000;

class OpcuaFaultTest : public OpcuaFixture {};

TEST_F(OpcuaFaultTest, nobody_there_is_an_error_and_not_a_hang) {
  options_.call_timeout = time_limit(300ms);
  const auto error = refusal({tag("Double")});
  EXPECT_EQ(error.code, Errc::disconnected) << error.message;
  EXPECT_THAT(error.message, HasSubstr("Is the server running, and are host and port right?"));
  options_.url = "opc.tcp://no-such-host.invalid:4840";
  EXPECT_THAT(refusal({tag("Double")}).message, HasSubstr("is the host's name right"));
}

TEST_F(OpcuaFaultTest, open_waits_for_a_server_that_is_starting) {
  OpcuaLink link(options_);
  std::thread late([this] {
    std::this_thread::sleep_for(500ms);
    serve();
  });
  const auto opened = link.open(std::vector{tag("Double")});
  late.join();
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(OpcuaFaultTest, values_flow_within_two_seconds_of_a_restart) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Temperature"), tag("Forecast[0]"), tag("Double", true)}));
  ASSERT_TRUE(wait_for(link, 0, good));
  server_.reset();
  std::array<bool, 3> told{};
  ASSERT_TRUE(wait_for(link, [&](const Sample& sample) {
    if (sample.status == kBadNoCommunication) told[sample.tag] = bad(sample) && std::isnan(sample.value);
    return std::ranges::all_of(told, std::identity());
  }));
  EXPECT_EQ(link.status().state, LinkState::disconnected);
  std::array<WriteOutcome, 1> outcome;
  EXPECT_FALSE(link.write(std::array{2u}, std::array{1.0}, outcome));
  std::this_thread::sleep_for(1500ms);  // long enough for the back-off to have grown

  server_options_.shift_namespace = true;  // the same nodes under another namespace index
  const auto returned = std::chrono::steady_clock::now();
  serve();
  ASSERT_TRUE(wait_for(link, 0, good));
  EXPECT_LT(std::chrono::steady_clock::now() - returned, time_limit(2s));
  EXPECT_EQ(link.status().reconnects, 1u);
  ASSERT_TRUE(link.write(std::array{2u}, std::array{4.0}, outcome));
  EXPECT_TRUE(outcome[0].verified);
  server_->set("Temperature", 33.0);
  EXPECT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.value == 33.0; }));
}

TEST_F(OpcuaFaultTest, source_times_never_go_back_over_a_restart) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double")}));
  const auto now = WallClock().now();
  server_->set("Double", 1.0, 0, now);
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.value == 1.0; }));
  server_.reset();
  const auto lost = wait_for(link, 0, bad);
  ASSERT_TRUE(lost);
  serve();
  server_->set("Double", 2.0, 0, now - 24h);
  const auto back = wait_for(link, 0, [](const Sample& s) { return s.value == 2.0; });
  ASSERT_TRUE(back);
  EXPECT_GE(back->source_time, lost->source_time);
}

TEST_F(OpcuaFaultTest, an_outage_is_filled_from_the_servers_history) {
  serve();
  const auto start = WallClock().now();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Temperature"), tag("Double")}));
  server_->set("Temperature", 1.0, 0, start);
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.value == 1.0; }));
  server_.reset();
  ASSERT_TRUE(wait_for(link, 0, bad));
  // What the server recorded meanwhile: 12 values, five an answer, so that continuation points are used.
  serve();
  server_->add_history("Temperature", 0.5, start - 1s);  // before the outage: must not come
  for (int i = 1; i <= 12; ++i) server_->add_history("Temperature", 100.0 + i, start + i * 1ms);
  server_->set("Temperature", 2.0, 0, start + 20ms);
  std::vector<double> filled;
  bool live = false;
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while ((filled.size() < 12 || !live) && std::chrono::steady_clock::now() < deadline) {
    std::array<Sample, 32> samples;
    const auto count = link.poll(samples, 50ms);
    for (std::size_t i = 0; i < count; ++i) {
      if (samples[i].tag != 0 || !good(samples[i])) continue;
      if (samples[i].value == 2.0) live = true;
      if (samples[i].value > 100.0) {
        filled.push_back(samples[i].value);
        EXPECT_LT(samples[i].source_time, start + 20ms);
        EXPECT_GT(samples[i].source_time, start);
      }
      EXPECT_NE(samples[i].value, 0.5);
    }
  }
  EXPECT_TRUE(live);
  ASSERT_EQ(filled.size(), 12u);
  EXPECT_EQ(filled.front(), 101.0);
  EXPECT_EQ(filled.back(), 112.0);
}

TEST_F(OpcuaFaultTest, nodes_missing_after_a_restart_are_named_and_found_again) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double"), tag("Many4")}));
  server_.reset();
  server_options_.without = {"Many4"};
  serve();
  ASSERT_TRUE(wait_for_state(link, LinkState::refused));
  EXPECT_THAT(link.status().reason, HasSubstr("Many4"));
  server_.reset();
  server_options_.without.clear();
  serve();
  EXPECT_TRUE(wait_for(link, 1, good, 8s));
}

TEST_F(OpcuaFaultTest, a_hung_server_is_noticed_within_the_inactivity_timeout_and_taken_up_again) {
  ServerProcess process(server_options_);
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector{tag("Temperature"), tag("Double", true)});
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE(wait_for(link, 0, good));
  process.hang();
  const auto hung = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_for(link, 1, bad));
  EXPECT_LT(std::chrono::steady_clock::now() - hung, options_.inactivity_timeout);
  EXPECT_EQ(link.status().state, LinkState::stale);
  std::array<WriteOutcome, 1> outcome;
  EXPECT_FALSE(link.write(std::array{1u}, std::array{1.0}, outcome));
  std::this_thread::sleep_for(3s);  // over the first attempt's time-out
  EXPECT_EQ(link.status().state, LinkState::stale);
  process.resume();
  const auto resumed = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_for(link, 0, good));
  EXPECT_LT(std::chrono::steady_clock::now() - resumed, time_limit(2s));
}

TEST_F(OpcuaFaultTest, a_write_into_a_hung_server_ends_in_time) {
  options_.call_timeout = time_limit(300ms);
  options_.inactivity_timeout = 2s;
  ServerProcess process(server_options_);
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  process.hang();
  const auto started = std::chrono::steady_clock::now();
  std::array<WriteOutcome, 1> outcome;
  EXPECT_FALSE(link.write(std::array{0u}, std::array{1.0}, outcome));
  EXPECT_FALSE(outcome[0].accepted);
  EXPECT_LT(std::chrono::steady_clock::now() - started, time_limit(1s));
  process.kill();
}

TEST_F(OpcuaFaultTest, a_killed_server_is_noticed_and_found_again) {
  auto process = std::make_unique<ServerProcess>(server_options_);
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Temperature")}));
  ASSERT_TRUE(wait_for(link, 0, good));
  process->kill();
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_for(link, 0, bad));
  EXPECT_LT(std::chrono::steady_clock::now() - killed, options_.inactivity_timeout);
  serve();
  EXPECT_TRUE(wait_for(link, 0, good));
}

TEST_F(OpcuaFaultTest, the_circuit_to_a_killed_server_is_open_until_one_is_back) {
  auto process = std::make_unique<ServerProcess>(server_options_);
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Temperature")}));
  ASSERT_TRUE(wait_for(link, 0, good));
  const Breaker::Figures before = link.status().circuit;  // it may have been there before its server
  EXPECT_EQ(before.state, Breaker::State::closed);
  process->kill();
  ASSERT_TRUE(wait_for(link, 0, bad));
  const auto deadline = std::chrono::steady_clock::now() + time_limit(5s);
  while (link.status().circuit.failures < before.failures + 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  EXPECT_EQ(link.status().circuit.state, Breaker::State::open);
  EXPECT_EQ(link.status().circuit.openings, before.openings + 1) << "one outage";
  serve();
  ASSERT_TRUE(wait_for(link, 0, good));
  EXPECT_EQ(link.status().circuit.state, Breaker::State::closed);
  EXPECT_EQ(link.status().circuit.openings, before.openings + 1);
}

TEST_F(OpcuaFaultTest, a_session_closed_by_the_server_is_replaced) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double")}));
  ASSERT_TRUE(wait_for(link, 0, good));
  server_->close_sessions();
  ASSERT_TRUE(wait_for(link, 0, bad));
  EXPECT_TRUE(wait_for(link, 0, good));
  EXPECT_EQ(link.status().reconnects, 1u);
}

TEST_F(OpcuaFaultTest, renewing_the_channels_keys_interrupts_nothing) {
  // Keys are renewed at three quarters of their life, so that a machine that stands still for a second is in time; nor
  // is it for a server that hangs, which the tests above are about.
  options_.channel_lifetime = 6s;
  options_.call_timeout = options_.inactivity_timeout = 10s;
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  const auto end = std::chrono::steady_clock::now() + 3 * options_.channel_lifetime;  // three sets of keys, and more
  for (int i = 1; std::chrono::steady_clock::now() < end; ++i) {
    std::array<WriteOutcome, 1> outcome;
    ASSERT_TRUE(link.write(std::array{0u}, std::array{double(i)}, outcome));
    EXPECT_TRUE(outcome[0].verified);
    ASSERT_TRUE(wait_for(link, 0, [i](const Sample& s) { return s.value == i; }));
    std::this_thread::sleep_for(80ms);
  }
  EXPECT_EQ(link.status().reconnects, 0u);
}

TEST_F(OpcuaFaultTest, closing_while_the_server_is_away_ends_at_once) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double")}));
  server_.reset();
  ASSERT_TRUE(wait_for(link, 0, bad));
  const auto started = std::chrono::steady_clock::now();
  link.close();
  EXPECT_LT(std::chrono::steady_clock::now() - started, time_limit(500ms));
}

}  // namespace
}  // namespace rltune::plant
